//! The demo's own words, between what the commands print that it runs.

use super::page::{FAINT, GOOD, Page, STRONG};
use super::topology;
use crate::model::Balancer;

/// Words of the demo.
#[derive(Debug, Clone, Copy)]
pub enum DemoText<'a> {
    /// What is about to be seen, in one line.
    Title(&'a str),
    /// A part of the story.
    Chapter {
        /// Which one, from 1.
        number: u8,
        /// What it is about.
        title: &'a str,
        /// The command that does the same on a real balancer, if there is one.
        command: Option<&'a str>,
    },
    /// What leads where.
    Picture(&'a Balancer),
    /// Something to know.
    Note(&'a str),
    /// Something to copy: a URL or a command, and what it is.
    Item(&'a str, &'a str),
    /// How it ended.
    End(&'a str),
}

/// The text, with an empty line before what begins something.
pub fn demo_text(text: DemoText<'_>) -> String {
    let mut page = Page::default();
    match text {
        DemoText::Title(title) => page.styled(STRONG, title),
        DemoText::Chapter { number, title, command } => {
            page.end().styled(STRONG, &format!("{number}. {title}")).end();
            if let Some(command) = command {
                page.styled(FAINT, &format!("   $ {command}")).end();
            }
            &mut page
        }
        DemoText::Picture(balancer) => {
            topology::draw(&mut page, balancer);
            return page.finish();
        }
        DemoText::Note(note) => page.plain("   ").plain(note),
        DemoText::Item(what, value) => page.plain(&format!("   {what:<12} ")).styled(GOOD, value),
        DemoText::End(end) => page.end().styled(GOOD, end),
    };
    page.end();
    page.finish()
}
