//! The whole way in a real browser: an HTTPS page whose WebSocket does not open, `elbws apply`, and two people in a chat.

use std::fs;

use crate::support::browser::{Browser, Tab};
use crate::support::site::Site;

const CHAT: &str = "https://chat.example.com/";

/// A browser that finds `chat.example.com` where the sandbox really listens, and trusts its authority alone for it.
fn browser(site: &Site) -> Browser {
    let authority = site.story.sandbox.authority().root_pem();
    let hosts = [("chat.example.com:443", site.listener(443)), ("chat.example.com:80", site.listener(80))];
    Browser::start(authority, &hosts)
}

/// The page arrives over TLS, and its WebSocket does not open.
fn is_broken(tab: &Tab<'_>) {
    tab.open(CHAT).expect("the page arrives");
    tab.wait("document.querySelector('#state')?.textContent === 'no WebSocket'");
    assert!(tab.text("#why").contains("the Upgrade handshake is lost on the way"), "{}", tab.text("#why"));
    assert_eq!(tab.value("document.querySelector('#text').disabled"), true);
}

fn apply(site: &Site) {
    site.expect_proxy_protocol();
    let listeners = [site.listener(443), site.listener(80)];
    site.story.elbws(&["apply", "--elb", "chat"]).exits(0);
    assert_eq!(listeners, [site.listener(443), site.listener(80)], "the browser still finds them");
    site.wait_for_health();
}

fn connected(tab: &Tab<'_>) {
    tab.wait("document.querySelector('#state')?.textContent === 'connected' && !document.querySelector('#seen').hidden");
}

fn hears(tab: &Tab<'_>, who: &str, what: &str) {
    let line = serde_json::json!(format!("{who}\n{what}"));
    tab.wait(&format!("[...document.querySelectorAll('#log .say')].some(line => line.innerText === {line})"));
}

#[test]
#[ignore = "needs Chromium and nginx: run ./tests/run"]
fn two_pages_chat_through_the_balancer_and_nginx() {
    let site = Site::begin(true);
    let browser = browser(&site);
    let ada = browser.tab();
    is_broken(&ada);

    // The page that was open all the time connects by itself, once it can.
    apply(&site);
    connected(&ada);
    assert_eq!(ada.text("#seen"), "The application sees you at ::1", "the browser's address, not the balancer's 127.0.0.1");

    let bob = browser.tab();
    bob.open(CHAT).expect("the page arrives");
    connected(&bob);
    ada.wait("document.querySelector('#people').textContent === 'Here with you: guest-2'");
    ada.value("document.querySelector('#name').focus()");
    ada.value("document.querySelector('#name').select()");
    ada.type_keys("Ada\tHello, Bob!\r");
    hears(&bob, "Ada", "Hello, Bob!");
    bob.value("document.querySelector('#text').focus()");
    bob.type_keys("Hello, <b>Ada</b> &amp; all\r");
    hears(&ada, "guest-2", "Hello, <b>Ada</b> &amp; all");
    assert_eq!(ada.value("document.querySelector('#log .say span b')"), serde_json::Value::Null, "text is never markup");

    // Plain HTTP arrives on the same instance port; only the port in the PROXY line tells it apart (elb-facts, table 4, 11).
    let plain = browser.tab();
    plain.open("http://chat.example.com/").expect("it is redirected");
    assert_eq!(plain.value("location.href"), CHAT);

    bob.open("about:blank").expect("it is always there");
    ada.wait("document.querySelector('#log').lastChild.innerText.endsWith('has gone')");
    look_at(&ada, &site);
}

/// The page at both ends of what screens are; the pictures are in a folder for whoever wants to see them.
fn look_at(tab: &Tab<'_>, site: &Site) {
    let folder = std::env::var_os("ELBWS_PICTURES").map_or_else(|| site.story.file("pictures"), Into::into);
    fs::create_dir_all(&folder).expect("a folder");
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (400, "light"), (400, "dark")] {
        tab.look(width, scheme);
        let overflow = tab.value("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(overflow, 0, "nothing sticks out at {width} px");
        let picture = tab.picture();
        assert!(picture.starts_with(b"\x89PNG"));
        fs::write(folder.join(format!("chat-{width}-{scheme}.png")), picture).expect("it is writable");
    }
}

/// Without a web server between, the application itself reads the PROXY line: the browser's address and port.
#[test]
#[ignore = "needs Chromium: run ./tests/run"]
fn the_application_sees_the_browsers_own_address_and_port() {
    let site = Site::begin(false);
    let browser = browser(&site);
    let tab = browser.tab();
    is_broken(&tab);
    apply(&site);
    connected(&tab);
    let seen = tab.text("#seen b");
    let port: u16 = seen.strip_prefix("[::1]:").and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("{seen}"));
    let listener = site.listener(443).port();
    // The kernel's table of connections: this end and the other one, both at ::1, the ports in hexadecimal.
    let connections = fs::read_to_string("/proc/net/tcp6").expect("Linux");
    let loopback = "00000000000000000000000001000000";
    let row = format!(" {loopback}:{port:04X} {loopback}:{listener:04X} 01 ");
    assert!(connections.contains(&row), "no connection {row}:\n{connections}");
}
