//! nginx's grammar: words, quotes, comments and blocks, with the line of each directive.
//!
//! It follows `ngx_conf_read_token`: a quote counts at the beginning of a word only, a backslash keeps the character after it,
//! `${` belongs to its word, and `#` begins a comment only where a word could begin. Lua blocks are skipped whole.

/// A file of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Its path, or `-` for what was piped in.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// A place in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct At {
    /// The file, by its number.
    pub(super) file: usize,
    /// The line, from 1.
    pub(super) line: usize,
}

/// A directive with its arguments, and its block if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Directive {
    pub(super) at: At,
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) block: Option<Vec<Directive>>,
}

/// Blocks within blocks. nginx itself knows no configuration that needs a tenth of this.
const DEEPEST: usize = 100;

impl Directive {
    /// The argument at an index, or nothing.
    pub(super) fn arg(&self, index: usize) -> &str {
        self.args.get(index).map_or("", String::as_str)
    }

    /// The directives of its block; none if it has no block.
    pub(super) fn children(&self) -> &[Directive] {
        self.block.as_deref().unwrap_or_default()
    }
}

/// Reads a file; an error says on which line and what is wrong.
pub(super) fn parse(text: &str, file: usize) -> Result<Vec<Directive>, (usize, String)> {
    let mut words = Words { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    // The blocks that are open: the directive each belongs to, and what it holds so far.
    let mut open: Vec<(Directive, Vec<Directive>)> = Vec::new();
    let mut here: Vec<Directive> = Vec::new();
    let mut statement: Vec<String> = Vec::new();
    let mut begins = 1;
    loop {
        let token = words.next()?;
        if statement.is_empty() {
            begins = words.line_of_token(&token);
        }
        let at = At { file, line: begins };
        match token {
            Token::Word(word, _) => {
                statement.push(word);
                continue;
            }
            Token::Semicolon(line) => {
                here.push(directive(&mut statement, at, None).ok_or((line, "unexpected `;`".to_owned()))?)
            }
            Token::Open(line) => {
                let begun = directive(&mut statement, at, None).ok_or((line, "unexpected `{`".to_owned()))?;
                if begun.name.ends_with("_by_lua_block") {
                    words.skip_lua()?;
                    here.push(Directive { block: Some(Vec::new()), ..begun });
                } else if open.len() >= DEEPEST {
                    return Err((line, "too many blocks within blocks".to_owned()));
                } else {
                    open.push((begun, std::mem::take(&mut here)));
                }
            }
            Token::Close(line) => {
                if !statement.is_empty() {
                    return Err((line, "`;` is missing before `}`".to_owned()));
                }
                let (begun, around) = open.pop().ok_or((line, "unexpected `}`".to_owned()))?;
                let block = std::mem::replace(&mut here, around);
                here.push(Directive { block: Some(block), ..begun });
            }
            Token::End => break,
        }
    }
    match (open.last(), statement.is_empty()) {
        (Some((begun, _)), _) => Err((begun.at.line, format!("the block of `{}` is not closed", begun.name))),
        (None, false) => Err((begins, "the last directive is not finished: `;` is missing".to_owned())),
        (None, true) => Ok(here),
    }
}

fn directive(statement: &mut Vec<String>, at: At, block: Option<Vec<Directive>>) -> Option<Directive> {
    let mut words = std::mem::take(statement).into_iter();
    let name = words.next()?;
    Some(Directive { at, name, args: words.collect(), block })
}

enum Token {
    /// A word, and the line it begins on.
    Word(String, usize),
    Semicolon(usize),
    Open(usize),
    Close(usize),
    End,
}

struct Words<'a> {
    rest: &'a str,
    line: usize,
}

impl Words<'_> {
    fn line_of_token(&self, token: &Token) -> usize {
        match token {
            Token::Word(_, line) | Token::Semicolon(line) | Token::Open(line) | Token::Close(line) => *line,
            Token::End => self.line,
        }
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn next(&mut self) -> Result<Token, (usize, String)> {
        loop {
            let line = self.line;
            match self.rest.chars().next() {
                None => return Ok(Token::End),
                Some('#') => self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end..]),
                Some(c) if c.is_ascii_whitespace() => drop(self.bump()),
                Some(c @ (';' | '{' | '}')) => {
                    self.bump();
                    return Ok(match c {
                        ';' => Token::Semicolon(line),
                        '{' => Token::Open(line),
                        _ => Token::Close(line),
                    });
                }
                Some(quote @ ('"' | '\'')) => {
                    self.bump();
                    return Ok(Token::Word(self.quoted(quote, line)?, line));
                }
                Some(_) => return Ok(Token::Word(self.bare(), line)),
            }
        }
    }

    fn bare(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.rest.chars().next() {
            // The brace of `${name}` belongs to the word.
            let ends = c.is_ascii_whitespace() || c == ';' || (c == '{' && !word.ends_with('$'));
            if ends {
                break;
            }
            self.bump();
            match c {
                '\\' => word.push_str(&self.escaped()),
                _ => word.push(c),
            }
        }
        word
    }

    fn quoted(&mut self, quote: char, line: usize) -> Result<String, (usize, String)> {
        let mut word = String::new();
        loop {
            match self.bump() {
                None => return Err((line, format!("the quote {quote} is not closed"))),
                Some(c) if c == quote => break,
                Some('\\') => word.push_str(&self.escaped()),
                Some(c) => word.push(c),
            }
        }
        match self.rest.chars().next() {
            Some(c) if c.is_ascii_whitespace() || matches!(c, ';' | '{' | ')') => Ok(word),
            None => Ok(word),
            Some(c) => Err((self.line, format!("unexpected `{c}` after a quote"))),
        }
    }

    /// What a backslash and the character after it stand for.
    fn escaped(&mut self) -> String {
        match self.bump() {
            Some(c @ ('"' | '\'' | '\\')) => c.to_string(),
            Some('t') => "\t".to_owned(),
            Some('r') => "\r".to_owned(),
            Some('n') => "\n".to_owned(),
            Some(other) => format!("\\{other}"),
            None => "\\".to_owned(),
        }
    }

    /// Skips Lua up to the brace that closes its block, which strings and comments of Lua do not count for.
    fn skip_lua(&mut self) -> Result<(), (usize, String)> {
        let begins = self.line;
        let mut depth = 1_usize;
        while depth > 0 {
            let long = ["--[[", "[["].into_iter().find(|mark| self.rest.starts_with(mark));
            if long.is_some() {
                self.skip_past("]]");
            } else if self.rest.starts_with("--") {
                self.skip_past("\n");
            } else {
                match self.bump() {
                    None => return Err((begins, "the Lua block is not closed".to_owned())),
                    Some('{') => depth += 1,
                    Some('}') => depth -= 1,
                    Some(quote @ ('"' | '\'')) => {
                        while let Some(c) = self.bump().filter(|c| *c != quote && *c != '\n') {
                            if c == '\\' {
                                self.bump();
                            }
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        Ok(())
    }

    fn skip_past(&mut self, mark: &str) {
        let end = self.rest.find(mark).map_or(self.rest.len(), |end| end + mark.len());
        self.line += self.rest[..end].matches('\n').count();
        self.rest = &self.rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(directives: &[Directive]) -> String {
        let one = |directive: &Directive| {
            let block = directive.block.as_ref().map(|block| format!("{{{}}}", flat(block))).unwrap_or_default();
            format!("{}:{}{:?}{block}", directive.at.line, directive.name, directive.args)
        };
        directives.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_quotes_comments_and_blocks() {
        let read = |text: &str| parse(text, 0).map(|directives| flat(&directives));
        let right = [
            ("a b 'c d' \"e;{\" f#g; # h ' {\n\n k;", r#"1:a["b", "c d", "e;{", "f#g"] 3:k[]"#),
            ("location ~ \\.php$ {\n x\n y;}", r#"1:location["~", "\\.php$"]{2:x["y"]}"#),
            ("map $a $b { default x; '' close; ~^\"q w; }", r#"1:map["$a", "$b"]{1:default["x"] 1:["close"] 1:~^"q["w"]}"#),
            (
                "if ($h = \"a b\") { return 301 https://${host}x; }",
                r#"1:if["($h", "=", "a b", ")"]{1:return["301", "https://${host}x"]}"#,
            ),
            ("a \\; b\\ c 'it\\'s';", r#"1:a["\\;", "b\\ c", "it's"]"#),
            ("content_by_lua_block { s = \"}\" -- }\n t = {[[ } ]]} --[[ }\n ]] }\nz;", "1:content_by_lua_block[]{} 4:z[]"),
            ("\u{feff}a;\r\nb;", "1:a[] 2:b[]"),
            ("", ""),
        ];
        for (text, is) in right {
            assert_eq!(read(text).as_deref(), Ok(is), "{text}");
        }
        let wrong = ["a", "a {", "a { b }", "}", ";", "{", "a 'b", "a 'b'c;", "x_by_lua_block {"];
        for text in wrong {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"a {".repeat(200_000)).is_err(), "deep nesting does not overflow");
        assert_eq!(read("a;\nb {\n c;").unwrap_err().0, 2);
    }
}
