//! Headless Chromium, driven over the DevTools protocol. It trusts one authority and finds names where it is told to.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

/// How long the browser may take to start or to answer before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser with a profile of its own.
pub(crate) struct Browser {
    process: Child,
    socket: RefCell<WebSocket<TcpStream>>,
    calls: Cell<u64>,
    _folder: tempfile::TempDir,
}

/// A tab.
pub(crate) struct Tab<'a> {
    browser: &'a Browser,
    session: String,
}

impl Browser {
    /// Starts a browser that trusts `authority` (PEM) and connects to an address in place of each `NAME:PORT`.
    pub(crate) fn start(authority: &str, hosts: &[(&str, SocketAddr)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        trust(folder.path(), authority);
        let rules: Vec<String> = hosts.iter().map(|(name, address)| format!("MAP {name} {address}")).collect();
        let mut process = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"])
            .args(["--remote-debugging-port=0", "about:blank"])
            .arg(format!("--host-resolver-rules={}", rules.join(",")))
            .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
            .env("HOME", folder.path())
            .env_remove("XDG_DATA_HOME")
            .env_remove("XDG_CONFIG_HOME")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("Debian's package chromium is installed: run ./tests/run");
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines().map_while(Result::ok);
        let url = lines.find_map(|line| line.strip_prefix("DevTools listening on ").map(str::to_owned));
        let url = url.expect("Chromium says where it listens");
        // What else it says is read, so that it never waits for a reader, and dropped.
        std::thread::spawn(move || lines.for_each(drop));
        let address = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).expect("a WebSocket's URL");
        let stream = TcpStream::connect(address).expect("Chromium listens there");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        let (socket, _) = client::client(url.as_str(), stream).expect("Chromium accepts the WebSocket");
        Browser { process, socket: RefCell::new(socket), calls: Cell::new(0), _folder: folder }
    }

    /// A new tab, with nothing in it.
    pub(crate) fn tab(&self) -> Tab<'_> {
        let target = self.call(None, "Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = self.call(None, "Target.attachToTarget", &attach)["sessionId"].as_str().expect("a session").to_owned();
        Tab { browser: self, session }
    }

    /// Calls a method and returns its result. Events, and whatever else comes before the result, are dropped.
    #[track_caller]
    fn call(&self, session: Option<&str>, method: &str, parameters: &Value) -> Value {
        let id = self.calls.get() + 1;
        self.calls.set(id);
        let mut call = json!({"id": id, "method": method, "params": parameters});
        if let Some(session) = session {
            call["sessionId"] = session.into();
        }
        let mut socket = self.socket.borrow_mut();
        socket.send(Message::text(call.to_string())).expect("Chromium is there");
        loop {
            let message = socket.read().unwrap_or_else(|error| panic!("no answer to {call}: {error}"));
            let Message::Text(text) = message else { continue };
            let mut answer: Value = serde_json::from_str(&text).expect("it is JSON");
            if answer["id"] == id {
                assert!(answer["error"].is_null(), "{call}: {}", answer["error"]);
                return answer["result"].take();
            }
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Not `call`, which panics. An identifier beyond 32 bits would be refused, and the browser would stay.
        let call = json!({"id": self.calls.get() + 1, "method": "Browser.close"});
        let asked = self.socket.get_mut().send(Message::text(call.to_string())).map(|()| Instant::now());
        while asked.as_ref().is_ok_and(|asked| asked.elapsed() < PATIENCE / 6) {
            if matches!(self.process.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Tab<'_> {
    /// Opens a page; the error is Chromium's, such as `net::ERR_CONNECTION_REFUSED`.
    pub(crate) fn open(&self, url: &str) -> Result<(), String> {
        let answer = self.call("Page.navigate", &json!({"url": url}));
        answer["errorText"].as_str().map_or(Ok(()), |error| Err(error.to_owned()))
    }

    /// The value of a JavaScript expression; a promise is waited for.
    #[track_caller]
    pub(crate) fn value(&self, expression: &str) -> Value {
        let ask = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", &ask);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        answer["result"]["value"].take()
    }

    /// Waits until a JavaScript expression about the page is true, looking whenever the page changes.
    #[track_caller]
    pub(crate) fn wait(&self, condition: &str) {
        let limit = PATIENCE.as_millis() / 2;
        let became = self.value(&format!(
            "new Promise(done => {{
                const look = () => {{ if ({condition}) {{ observer.disconnect(); done(true); }} }};
                const observer = new MutationObserver(look);
                observer.observe(document, {{ subtree: true, childList: true, attributes: true, characterData: true }});
                setTimeout(() => done(false), {limit});
                look();
            }})"
        ));
        assert_eq!(became, true, "never true: {condition}\nThe page says:\n{}", self.text("body"));
    }

    /// The text that is to be seen of an element.
    #[track_caller]
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({}).innerText", json!(selector)));
        text.as_str().expect("an element has text").to_owned()
    }

    /// Types into what has the focus, as a keyboard does. `\r` is Enter, `\t` is Tab.
    pub(crate) fn type_keys(&self, keys: &str) {
        for key in keys.chars() {
            let (name, code) = match key {
                '\r' => ("Enter".to_owned(), 13),
                '\t' => ("Tab".to_owned(), 9),
                other => (other.to_string(), 0),
            };
            let text = if key == '\t' { String::new() } else { key.to_string() };
            let down = json!({"type": "keyDown", "key": name, "text": text, "windowsVirtualKeyCode": code});
            self.call("Input.dispatchKeyEvent", &down);
            self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": name, "windowsVirtualKeyCode": code}));
        }
    }

    /// Shows the page at a width of so many pixels, to somebody who prefers `light` or `dark`.
    pub(crate) fn look(&self, width: u32, scheme: &str) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", &size);
        let scheme = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", &scheme);
    }

    /// A picture of the page, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let answer = self.call("Page.captureScreenshot", &json!({"format": "png"}));
        BASE64.decode(answer["data"].as_str().expect("a picture").as_bytes()).expect("it is base64")
    }

    #[track_caller]
    fn call(&self, method: &str, parameters: &Value) -> Value {
        self.browser.call(Some(&self.session), method, parameters)
    }
}

/// Puts an authority into the database that Chromium asks on Linux.
fn trust(home: &Path, authority: &str) {
    let (database, file) = (home.join(".pki/nssdb"), home.join("authority.pem"));
    fs::create_dir_all(&database).expect("a folder");
    fs::write(&file, authority).expect("it is writable");
    let database = format!("sql:{}", database.display());
    for arguments in [&["-N", "--empty-password"][..], &["-A", "-n", "sandbox", "-t", "C,,", "-i", "authority.pem"]] {
        let output = Command::new("certutil").args(["-d", &database]).args(arguments).current_dir(home).output();
        let output = output.expect("Debian's package libnss3-tools is installed: run ./tests/run");
        assert!(output.status.success(), "certutil {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
