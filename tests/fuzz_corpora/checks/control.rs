//! The control socket: any bytes as a request.
//!
//! They are answered, or the connection is closed; the next question is answered; and however often
//! something is asked, the daemon keeps no more of it.

use callblock::clock::Timestamp;
use callblock::screen::answer::answer;
use callblock::screen::{Date, Hits, List, LocalTime, Moment, Policy};
use callblock::service::control::{ControlSocket, Places, ask};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// No answer within this is none; the socket itself is patient for 5 s.
const PATIENCE: Duration = Duration::from_secs(10);
/// So many lines of an input are requests.
const MOST_REQUESTS: usize = 8;
/// So often the same is asked to see whether the daemon grows.
const OFTEN: usize = 2000;
/// What the daemon may keep of all that.
const MOST_KEPT: i64 = 32 * 1024;

/// Each line is a request on a connection of its own.
pub(crate) fn check(input: &[u8]) {
    let requests = input
        .split_inclusive(|byte| *byte == b'\n')
        .take(MOST_REQUESTS);
    for request in requests.clone() {
        nothing_grows(request);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let (Ok(runtime), Ok(folder)) = (runtime, tempfile::tempdir()) else {
        return;
    };
    let places = Places {
        named: Some(folder.path().join("control.sock")),
        ..Places::default()
    };
    runtime.block_on(async {
        let Ok(socket) = ControlSocket::open(&places).await else {
            return;
        };
        let asked = async {
            for request in requests {
                send(&places, request).await;
            }
            let next = ask(&places, &json!({ "command": "lists" })).await;
            assert!(
                matches!(&next, Ok(Some(lists)) if lists.get("error").is_none()),
                "{next:?}"
            );
        };
        tokio::select! {
            () = asked => {}
            () = daemon(socket) => {}
        }
    });
}

/// The daemon's part, as far as lists go.
async fn daemon(mut socket: ControlSocket) {
    let mut policy = policy();
    while let Some(request) = socket.next().await {
        let told = now()
            .and_then(|now| answer(&mut policy, &Hits::default(), &request.body, now))
            .unwrap_or_else(|| json!({ "error": "unknown command" }));
        // Whoever asked may have gone.
        let _ = request.answer.send(told);
    }
}

fn policy() -> Policy {
    let list = List::parse("block.csv".as_ref(), b"5055550134,Solar\n+1900*,Dear,fax\n");
    Policy {
        block: Some(list.list),
        ..Policy::default()
    }
}

fn now() -> Option<Moment> {
    let date = Date::new(2026, 11, 20)?;
    Some(Moment {
        instant: Timestamp::from_nanos(1_795_000_000_000_000_000),
        local: LocalTime { date, minute: 720 },
    })
}

/// Sends these bytes; what comes back is an answer of one line, or nothing.
async fn send(places: &Places, bytes: &[u8]) {
    let path = places.named.as_deref().unwrap_or("".as_ref());
    let conversation = async {
        let mut stream = UnixStream::connect(path).await?;
        // It may close the connection before it has read everything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let mut told = Vec::new();
        stream.read_to_end(&mut told).await?;
        Ok::<_, std::io::Error>(told)
    };
    let Ok(told) = tokio::time::timeout(PATIENCE, conversation).await else {
        panic!("neither an answer nor the end of the connection");
    };
    let told = told.unwrap_or_default();
    if let Some(line) = told.strip_suffix(b"\n") {
        assert!(serde_json::from_slice::<Value>(line).is_ok(), "not JSON");
        assert!(!line.contains(&b'\n'));
    } else {
        assert!(told.is_empty(), "half an answer");
    }
}

fn nothing_grows(request: &[u8]) {
    let (Ok(request), Some(now)) = (serde_json::from_slice::<Value>(request), now()) else {
        return;
    };
    let mut policy = policy();
    let hits = Hits::default();
    let memory = allocation_counter::measure(|| {
        for _ in 0..OFTEN {
            drop(answer(&mut policy, &hits, &request, now));
        }
    });
    assert!(
        memory.bytes_current < MOST_KEPT,
        "{} bytes kept",
        memory.bytes_current
    );
}
