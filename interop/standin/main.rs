// Serves the access portal of winterbaume-sso on a loopback port, so that homing and the emulator can be held against
// an implementation that neither has a part in. winterbaume-sso answers; this program only carries requests to it and
// its answers back, and adds nothing but the framing of HTTP.
//
// It prints its URL, then reads what the portal knows from stdin, one line each, and says "ok" to each:
//
//     account ID NAME EMAIL
//     role ID NAME
//     session TOKEN
//
// It ends with its stdin. The first argument is the region.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::Builder;
use winterbaume_core::{default_account_id, MockRequest, MockResponse, MockService};
use winterbaume_sso::SsoService;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Result<()> {
    let region = std::env::args().nth(1).ok_or("usage: standin REGION")?;
    let service = Arc::new(SsoService::new());
    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("http://{}", listener.local_addr()?);

    let (portal, host) = (service.clone(), format!("https://portal.sso.{region}.amazonaws.com"));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (portal, host) = (portal.clone(), host.clone());
            std::thread::spawn(move || {
                if let Err(err) = serve(&portal, &host, stream) {
                    eprintln!("standin: {err}");
                }
            });
        }
    });

    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let state = service.backend_state().get(default_account_id(), &region);
        let mut state = state.blocking_write();
        match words[..] {
            ["account", id, name, email] => state.add_account(id, name, email),
            ["role", id, name] => state.add_role(id, name),
            ["session", token] => state.add_session(token),
            _ => return Err("a line that means nothing".into()), // which may hold a token
        }
        println!("ok");
    }
    Ok(())
}

// serve answers one request and closes.
fn serve(portal: &SsoService, host: &str, stream: TcpStream) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    if line.is_empty() {
        return Ok(()); // a connection that was opened and not used
    }
    let mut words = line.split_ascii_whitespace();
    let method = words.next().ok_or("no method")?.to_string();
    let uri = format!("{host}{}", words.next().ok_or("no path")?);

    let mut headers = HeaderMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.insert(HeaderName::from_bytes(name.as_bytes())?, HeaderValue::from_str(value.trim())?);
    }
    let length = match headers.get(http::header::CONTENT_LENGTH) {
        Some(value) => value.to_str()?.parse()?,
        None => 0u64,
    };
    let mut body = Vec::new();
    reader.by_ref().take(length).read_to_end(&mut body)?;

    let request = MockRequest { method, uri, headers, body: body.into() };
    let answer = Builder::new_current_thread().build()?.block_on(portal.handle(request));
    write(reader.get_mut(), answer)
}

fn write(stream: &mut TcpStream, answer: MockResponse) -> Result<()> {
    let mut text = format!("HTTP/1.1 {} -\r\n", answer.status).into_bytes();
    for (name, value) in &answer.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    text.extend(format!("content-length: {}\r\nconnection: close\r\n\r\n", answer.body.len()).bytes());
    text.extend(&answer.body);
    stream.write_all(&text)?;
    Ok(stream.flush()?)
}
