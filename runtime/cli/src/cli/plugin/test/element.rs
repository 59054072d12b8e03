//! A simulated element on loopback, which answers as a board has it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::board::{Action, Board, Phase};
use super::wire::Received;

/// How late an answer is that comes in time.
const LATE: Duration = Duration::from_millis(300);
/// How long a connection stays on which nothing is sent.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Connections that may wait to be accepted.
const BACKLOG: u32 = 64;

/// Whether connections are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    Open,
    Closed,
}

type Turn = (Gate, oneshot::Sender<()>);

/// A simulated element.
#[derive(Debug)]
pub(super) struct Element {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Aborts the listener when the element is dropped.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    board: Mutex<Board>,
    gate: mpsc::Sender<Turn>,
}

impl Element {
    pub(super) fn start(board: Board) -> Result<Self> {
        let listener = listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = listener.local_addr()?;
        let (gate, turns) = mpsc::channel(1);
        let shared = Arc::new(Shared { board: Mutex::new(board), gate });
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, address, turns, Arc::clone(&shared)));
        Ok(Self { address, shared, _tasks: tasks })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.shared.board()
    }

    /// A call begins.
    pub(super) async fn begin(&self, call: usize, phase: Phase) {
        let is_refused = self.board().begin(call, phase);
        if is_refused {
            self.shared.turn(Gate::Closed).await;
        }
    }

    /// A call has ended: the element can be reached again.
    pub(super) async fn end(&self) {
        self.shared.turn(Gate::Open).await;
    }
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // A board is right after each of its changes.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn turn(&self, gate: Gate) {
        let (done, is_done) = oneshot::channel();
        if self.gate.send((gate, done)).await.is_ok() {
            // Without an answer the listener has ended, and refuses too.
            is_done.await.unwrap_or_default();
        }
    }
}

async fn serve(
    mut listener: TcpListener,
    address: SocketAddr,
    mut turns: mpsc::Receiver<Turn>,
    shared: Arc<Shared>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                connections.spawn(answer(stream, Arc::clone(&shared)));
            },
            Some(_) = connections.join_next() => {}
            turn = turns.recv() => match turn {
                None => return,
                Some((Gate::Open, done)) => { done.send(()).unwrap_or_default(); }
                Some((Gate::Closed, done)) => {
                    drop(listener);
                    // Bound and not listening: the port stays ours and refuses.
                    let Ok(blocked) = bound(address) else { return };
                    done.send(()).unwrap_or_default();
                    // The connection that closed the gate still has its answer to send.
                    let reopened = loop {
                        tokio::select! {
                            Some(_) = connections.join_next() => {}
                            turn = turns.recv() => match turn {
                                None => return,
                                Some((Gate::Closed, done)) => done.send(()).unwrap_or_default(),
                                Some((Gate::Open, done)) => break done,
                            }
                        }
                    };
                    let Ok(open) = blocked.listen(BACKLOG) else { return };
                    listener = open;
                    reopened.send(()).unwrap_or_default();
                }
            }
        }
    }
}

async fn answer(stream: TcpStream, shared: Arc<Shared>) {
    let mut stream = BufReader::new(stream);
    let Ok(Some(received)) = Received::read(&mut stream).await else { return };
    let (action, refuses_next) = shared.board().handle(&received);
    if refuses_next {
        shared.turn(Gate::Closed).await;
    }
    // An error here means that the plugin has hung up, which it may.
    let sent = match action {
        Action::Send(reply) => reply.send(&mut stream).await,
        Action::SendLate(reply) => {
            tokio::time::sleep(LATE).await;
            reply.send(&mut stream).await
        }
        Action::SendHalf(reply) => reply.send_half(&mut stream).await,
        Action::Silence => {
            let mut rest = [0; 1];
            let gone = tokio::time::timeout(SILENCE_MAX, stream.read(&mut rest)).await;
            gone.map_or(Ok(()), |read| read.map(drop))
        }
        Action::Cut => Ok(()),
    };
    sent.unwrap_or_default();
}

fn bound(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn listen(address: SocketAddr) -> Result<TcpListener> {
    let listener = bound(address).and_then(|socket| socket.listen(BACKLOG));
    listener.context("cannot listen on 127.0.0.1 for the simulated element")
}
