//! A terminal with the binary on it, as a person would have.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// A child whose standard input and error are a terminal; its standard output is a pipe that is read.
pub(crate) struct Terminal {
    pub(crate) child: Child,
    keyboard: Option<File>,
    shown: Arc<(Mutex<String>, Condvar)>,
}

impl Terminal {
    pub(crate) fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("it is text");
        let side = || File::options().read(true).write(true).open(&name).expect("it can be opened");
        command.env("TERM", "xterm").stdin(side()).stderr(side()).stdout(Stdio::null());
        let child = command.spawn().expect("the binary runs");
        // The child has its sides of the terminal; when it ends, reading from ours fails.
        drop(command);
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().expect("it can be shared");
        let shown = Arc::new((Mutex::new(String::new()), Condvar::new()));
        let writer = shown.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = screen.read(&mut buffer) {
                writer.0.lock().expect("no panic").push_str(&String::from_utf8_lossy(&buffer[..read]));
                writer.1.notify_all();
            }
        });
        Terminal { child, keyboard: Some(keyboard), shown }
    }

    /// Waits until this was shown, and gives back everything shown so far.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> String {
        let patience = Instant::now() + Duration::from_secs(30);
        let mut shown = self.shown.0.lock().expect("no panic");
        while !shown.contains(text) {
            let left = patience.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "`{text}` is not shown:\n{shown}");
            shown = self.shown.1.wait_timeout(shown, left).expect("no panic").0;
        }
        shown.clone()
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.as_mut().expect("it is there").write_all(keys.as_bytes()).expect("somebody listens");
    }

    /// The exit status, which must come soon.
    #[track_caller]
    pub(crate) fn ends(&mut self) -> Option<i32> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status.code();
            }
            assert!(started.elapsed() < Duration::from_secs(30), "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
