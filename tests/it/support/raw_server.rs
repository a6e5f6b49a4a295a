//! A server below HTTP: a test says byte by byte what it answers.

use std::io::Read;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Serves every connection in this way, with the first request on it; gives back the endpoint. An error means that the client
/// has gone.
pub(crate) fn serve(behave: impl Fn(&mut TcpStream, &str) -> std::io::Result<()> + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, behave) = (stream.expect("a connection"), behave.clone());
            thread::spawn(move || {
                let request = read_request(&mut stream);
                let _ = behave(&mut stream, &request).and_then(|()| stream.shutdown(Shutdown::Write));
            });
        }
    });
    endpoint
}

/// Head and body of a request.
fn read_request(stream: &mut TcpStream) -> String {
    let (mut request, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|text| text.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return text,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}
