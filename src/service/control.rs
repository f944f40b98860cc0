//! The control socket: other commands ask the running daemon.
//!
//! A Unix socket; a request is one line of JSON, the answer another, then the connection is closed.
//! Who may ask is decided by the socket's permissions: its owner and its group. Knows nothing of what
//! is asked.

use serde_json::Value;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// The longest request or answer, in bytes.
const LONGEST_LINE: u64 = 4 << 20;
/// Where the service manager makes a folder for us (`RuntimeDirectory=`).
const SYSTEM_FOLDER: &str = "/run/callblock";
/// Patience with the other side.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections served at once.
const MOST_CLIENTS: usize = 8;

/// A request, and the way to answer it. Dropped without an answer, it closes the connection.
#[derive(Debug)]
pub struct Request {
    /// What is asked.
    pub body: Value,
    /// Where the answer goes.
    pub answer: oneshot::Sender<Value>,
}

/// Requests as they come in.
pub type Requests = mpsc::Receiver<Request>;

/// Where the control socket may be, by the environment: what the service manager or the user gives.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Places {
    /// `--socket`.
    pub named: Option<PathBuf>,
    /// `$RUNTIME_DIRECTORY`.
    pub runtime_directory: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub user_runtime_directory: Option<PathBuf>,
}

impl Places {
    /// As this process was started.
    pub fn of_process(named: Option<PathBuf>) -> Self {
        let folder = |name| std::env::var_os(name).map(PathBuf::from);
        Self {
            named,
            // The service manager may name several; the first is ours.
            runtime_directory: std::env::var("RUNTIME_DIRECTORY")
                .ok()
                .and_then(|folders| folders.split(':').next().map(PathBuf::from)),
            user_runtime_directory: folder("XDG_RUNTIME_DIR"),
        }
    }

    /// The sockets to try, in this order.
    pub fn candidates(&self) -> Vec<PathBuf> {
        if let Some(named) = &self.named {
            return vec![named.clone()];
        }
        if let Some(folder) = &self.runtime_directory {
            return vec![folder.join("control.sock")];
        }
        let system = PathBuf::from(SYSTEM_FOLDER).join("control.sock");
        let user = self
            .user_runtime_directory
            .as_ref()
            .map(|folder| folder.join("callblock").join("control.sock"));
        [Some(system), user].into_iter().flatten().collect()
    }
}

/// The daemon's end. Removes the socket when it is dropped.
#[derive(Debug)]
pub struct ControlSocket {
    path: PathBuf,
    requests: Requests,
    task: tokio::task::JoinHandle<()>,
}

impl ControlSocket {
    /// Opens the first of the places that can be had. A socket that a dead daemon left is replaced;
    /// one that is answered is left alone.
    pub async fn open(places: &Places) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::NotFound);
        for path in places.candidates() {
            match listen(&path).await {
                Ok(listener) => {
                    let (requests, inbox) = mpsc::channel(MOST_CLIENTS);
                    let task = tokio::spawn(serve(listener, requests));
                    return Ok(Self {
                        path,
                        requests: inbox,
                        task,
                    });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next request. Safe to cancel.
    pub async fn next(&mut self) -> Option<Request> {
        self.requests.recv().await
    }
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
        self.task.abort();
        // It may have gone with its folder.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn listen(path: &Path) -> io::Result<UnixListener> {
    // The system's folder is the service manager's to make.
    if let Some(folder) = path
        .parent()
        .filter(|folder| *folder != Path::new(SYSTEM_FOLDER))
    {
        // Whether it is there now shows when the socket is made.
        let _ = std::fs::create_dir(folder);
    }
    if path.exists() {
        if UnixStream::connect(path).await.is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                format!("another daemon answers on {}", path.display()),
            ));
        }
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    Ok(listener)
}

async fn serve(listener: UnixListener, requests: mpsc::Sender<Request>) {
    let clients = std::sync::Arc::new(tokio::sync::Semaphore::new(MOST_CLIENTS));
    loop {
        let Ok(permit) = std::sync::Arc::clone(&clients).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Too many open files, most likely: it passes.
                tracing::warn!(%error, "a control connection cannot be accepted");
                tokio::time::sleep(PATIENCE).await;
                continue;
            }
        };
        let requests = requests.clone();
        tokio::spawn(async move {
            if let Ok(Err(error)) = timeout(PATIENCE, attend(stream, requests)).await {
                tracing::debug!(%error, "a control request failed");
            }
            drop(permit);
        });
    }
}

async fn attend(mut stream: UnixStream, requests: mpsc::Sender<Request>) -> io::Result<()> {
    let line = read_line(&mut stream).await?;
    let (answer, answered) = oneshot::channel();
    let reply = match serde_json::from_slice(&line) {
        Ok(body) => {
            let request = Request { body, answer };
            if requests.send(request).await.is_err() {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            answered
                .await
                .unwrap_or_else(|_| serde_json::json!({ "error": "the daemon is stopping" }))
        }
        Err(error) => serde_json::json!({ "error": format!("not JSON: {error}") }),
    };
    write_line(&mut stream, &reply).await
}

/// Asks a running daemon. `Ok(None)` if there is none.
pub async fn ask(places: &Places, request: &Value) -> io::Result<Option<Value>> {
    for path in places.candidates() {
        let mut stream = match UnixStream::connect(&path).await {
            Ok(stream) => stream,
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                continue;
            }
            Err(error) => return Err(error),
        };
        let conversation = async {
            write_line(&mut stream, request).await?;
            let line = read_line(&mut stream).await?;
            serde_json::from_slice(&line).map_err(io::Error::from)
        };
        return match timeout(PATIENCE, conversation).await {
            Ok(answer) => answer.map(Some),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
    }
    Ok(None)
}

async fn read_line(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST_LINE))
        .read_until(b'\n', &mut line)
        .await?;
    Ok(line)
}

async fn write_line(stream: &mut UnixStream, value: &Value) -> io::Result<()> {
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    stream.write_all(&line).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn places(folder: &Path) -> Places {
        Places {
            named: Some(folder.join("control.sock")),
            ..Places::default()
        }
    }

    #[tokio::test]
    async fn a_question_is_answered_and_nobody_there_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        assert_eq!(ask(&places, &json!({})).await.unwrap(), None);
        let mut socket = ControlSocket::open(&places).await.unwrap();
        let daemon = async {
            let request = socket.next().await.unwrap();
            assert_eq!(request.body, json!({ "command": "status" }));
            request.answer.send(json!({ "state": "armed" })).unwrap();
        };
        let question = json!({ "command": "status" });
        let (answer, ()) = tokio::join!(ask(&places, &question), daemon);
        assert_eq!(answer.unwrap(), Some(json!({ "state": "armed" })));
        let mode = socket.path().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        drop(socket);
        assert_eq!(ask(&places, &json!({})).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("control.sock")).unwrap());
        let live = ControlSocket::open(&places).await.unwrap();
        let second = ControlSocket::open(&places).await.unwrap_err();
        assert_eq!(second.kind(), io::ErrorKind::AddrInUse);
        assert!(live.path().exists());
    }

    #[tokio::test]
    async fn any_bytes_are_answered_or_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let places = places(folder.path());
        let mut socket = ControlSocket::open(&places).await.unwrap();
        for bytes in [&b"\n"[..], b"{", b"\xff\xfe\n", b"[1,2]"] {
            let mut stream = UnixStream::connect(socket.path()).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            stream.shutdown().await.unwrap();
            let answered = async {
                let request = socket.next().await.unwrap();
                request.answer.send(json!({})).unwrap();
                std::future::pending::<()>().await;
            };
            let mut answer = Vec::new();
            tokio::select! {
                read = stream.read_to_end(&mut answer) => drop(read.unwrap()),
                () = answered => {}
            }
            assert!(!answer.is_empty(), "{bytes:?}");
        }
    }

    #[test]
    fn places_in_their_order() {
        let all = Places {
            named: Some("/a".into()),
            runtime_directory: Some("/run/x".into()),
            user_runtime_directory: Some("/run/user/1".into()),
        };
        assert_eq!(all.candidates(), [PathBuf::from("/a")]);
        let service = Places { named: None, ..all };
        assert_eq!(service.candidates(), [PathBuf::from("/run/x/control.sock")]);
        let person = Places {
            runtime_directory: None,
            ..service
        };
        assert_eq!(
            person.candidates(),
            [
                PathBuf::from("/run/callblock/control.sock"),
                PathBuf::from("/run/user/1/callblock/control.sock"),
            ]
        );
    }
}
