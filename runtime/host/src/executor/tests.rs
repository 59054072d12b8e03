use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

use model::PluginId;
use tokio::sync::oneshot;

use super::lane::Lanes;
use super::*;
use crate::limits::DEFAULT;

fn turn(lanes: &Lanes, plugin: &str) -> Turn {
    let meter = Arc::new(Meter::new(&DEFAULT));
    Turn { lane: lanes.of(&PluginId::new(plugin)), meter }
}

fn executor() -> Executor {
    Executor::new(2, || {}).unwrap()
}

#[tokio::test]
async fn a_future_runs_on_threads_of_its_own_and_in_the_callers_runtime() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    let here = std::thread::current().id();
    let there = executor.spawn(turn(&lanes, "a"), async move {
        let first = std::thread::current().id();
        tokio::time::sleep(Duration::from_millis(1)).await;
        tokio::spawn(async {}).await.unwrap();
        first
    });
    assert_ne!(there.await.unwrap(), here);
}

#[tokio::test]
async fn a_panic_ends_its_call_and_nothing_else() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    for _ in 0..8 {
        let panicking = executor.spawn(turn(&lanes, "a"), async { panic!("as the test wants") });
        assert!(panicking.await.is_none());
    }
    assert_eq!(executor.spawn(turn(&lanes, "a"), async { 7 }).await, Some(7));
}

#[tokio::test]
async fn a_task_that_is_dropped_drops_its_future() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    let (held, gone) = oneshot::channel::<()>();
    let task = executor.spawn(turn(&lanes, "a"), async move {
        std::future::pending::<()>().await;
        drop(held);
    });
    drop(task);
    assert!(gone.await.is_err());
}

/// Keeps its thread until it is told to stop, as a guest in one long instruction does.
fn block(executor: &Executor, turn: Turn) -> (FallibleTask<(), Turn>, mpsc::Sender<()>) {
    let (stop, stopped) = mpsc::channel();
    let task = executor.spawn(turn, async move {
        let _stopped = stopped.recv();
    });
    (task, stop)
}

#[tokio::test]
async fn calls_that_keep_their_threads_keep_no_others_waiting() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    // More than there are threads, of more plugins than one.
    let plugins = ["a", "b", "c", "d"];
    let blocked: Vec<_> = (0..32).map(|n| block(&executor, turn(&lanes, plugins[n % 4]))).collect();
    for plugin in ["e", "f"] {
        assert_eq!(executor.spawn(turn(&lanes, plugin), async { 7 }).await, Some(7));
    }
    let (tasks, stops): (Vec<_>, Vec<_>) = blocked.into_iter().unzip();
    drop(stops);
    for task in tasks {
        assert_eq!(task.await, Some(()));
    }
}

#[tokio::test]
async fn a_plugin_that_owes_time_goes_on_in_the_background() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    let (spent, fresh) = (turn(&lanes, "spent"), turn(&lanes, "fresh"));
    spent.lane.charge(Instant::now(), Duration::from_secs(1));
    let name =
        |turn| executor.spawn(turn, async { std::thread::current().name().map(String::from) });
    assert_eq!(name(spent).await.flatten().as_deref(), Some("guest-background"));
    assert_eq!(name(fresh).await.flatten().as_deref(), Some("guest-prompt"));
}

#[tokio::test]
async fn epochs_are_counted_while_something_runs() {
    static TICKED: AtomicBool = AtomicBool::new(false);
    let executor = Executor::new(1, || TICKED.store(true, Ordering::SeqCst)).unwrap();
    let lanes = Lanes::new(0);
    // It has slept for long when the call comes, or has not begun to; both must do.
    for pause in [Duration::ZERO, Duration::from_millis(100)] {
        tokio::time::sleep(pause).await;
        TICKED.store(false, Ordering::SeqCst);
        let waiting = executor.spawn(turn(&lanes, "a"), async {
            while !TICKED.load(Ordering::SeqCst) {
                std::hint::spin_loop();
            }
        });
        assert_eq!(waiting.await, Some(()));
    }
}

#[tokio::test]
async fn an_executor_that_is_dropped_ends_what_waits() {
    let (executor, lanes) = (executor(), Lanes::new(0));
    let (running, stop) = block(&executor, turn(&lanes, "a"));
    let waiting: Vec<_> = (0..8).map(|_| block(&executor, turn(&lanes, "a")).0).collect();
    drop(executor);
    drop(stop);
    drop(running);
    for task in waiting {
        // Those that had a thread already end, and the others are dropped.
        let _ended = task.await;
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_time_of_a_thread_on_a_core_is_known() {
    let thread = Thread::current();
    let before = thread.ran_ns();
    let began = Instant::now();
    while thread.ran_ns() <= before {
        assert!(began.elapsed() < Duration::from_secs(60), "no time is counted");
    }
}
