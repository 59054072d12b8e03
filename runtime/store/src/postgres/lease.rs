//! The lease of a store: one process at a time leads, the others stand by. All times are the database's; a
//! process only counts how long it has not heard from it. Epochs fence a process that still writes after its
//! lease has ended; the lease keeps it from reading what may be old.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::types::ToSql;

use super::link::{OUTAGE_MAX, Slot, Way, answered};
use super::session::{Ask, Session};
use super::trouble::Trouble;

/// A lease ends this long after it was renewed last.
const LEASE: Duration = Duration::from_secs(5);

/// How often it is renewed.
const RENEWAL_PAUSE: Duration = Duration::from_secs(1);

/// A renewal that takes longer is given up, and tried again.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether the lease is held, for all who ask.
pub(super) struct Held {
    state: Mutex<State>,
    changed: Condvar,
    lost: watch::Sender<bool>,
}

#[derive(Clone, Copy)]
enum State {
    /// It was never asked for.
    None,
    /// Until this time, by the clock that goes on while the process, or the machine, stands still.
    Until(Duration),
    /// Another process has it.
    Lost,
}

/// The outcome of asking for the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Led {
    /// This process leads.
    Here,
    /// Another one does.
    There {
        /// The name of its node.
        node: String,
    },
}

/// Takes the lease if it has ended.
pub(super) struct Take {
    pub(super) holder: String,
    pub(super) node: String,
}

/// Renews the lease of a holder, if it still is.
pub(super) struct Renew(pub(super) String);

/// Ends the lease of a holder.
pub(super) struct Release(pub(super) String);

/// Until when a lease is that begins now.
const UNTIL: &str = "until = clock_timestamp() + make_interval(secs => $2)";

impl Ask for Take {
    type Answer = Led;

    async fn of(&self, session: &mut Session) -> Result<Led, Trouble> {
        let take = format!(
            "UPDATE lease SET holder = $1, {UNTIL}, node = $3
            WHERE holder = $1 OR until < clock_timestamp()"
        );
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.holder, &LEASE.as_secs_f64(), &self.node];
        led(session, &take, &parameters).await
    }
}

impl Ask for Renew {
    type Answer = Led;

    async fn of(&self, session: &mut Session) -> Result<Led, Trouble> {
        let renew = format!("UPDATE lease SET {UNTIL} WHERE holder = $1");
        led(session, &renew, &[&self.0, &LEASE.as_secs_f64()]).await
    }
}

/// Changes the lease; tells who leads if it did not come to that.
async fn led(
    session: &mut Session,
    change: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Led, Trouble> {
    if session.client().execute(change, parameters).await? == 1 {
        return Ok(Led::Here);
    }
    let row = session.client().query_one("SELECT node FROM lease", &[]).await?;
    Ok(Led::There { node: row.get(0) })
}

impl Ask for Release {
    type Answer = ();

    async fn of(&self, session: &mut Session) -> Result<(), Trouble> {
        let release = "UPDATE lease SET holder = '', until = '-infinity' WHERE holder = $1";
        session.client().execute(release, &[&self.0]).await?;
        Ok(())
    }
}

impl Default for Held {
    fn default() -> Self {
        let lost = watch::Sender::new(false);
        Self { state: Mutex::new(State::None), changed: Condvar::new(), lost }
    }
}

impl Held {
    fn state(&self) -> MutexGuard<'_, State> {
        // It is replaced as a whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        *self.state() = state;
        self.changed.notify_all();
    }

    /// Whether what is read now is what the owner wrote last. Waits while it is unknown whether the lease is
    /// still held; `false` if it is lost, or cannot be renewed.
    pub(super) fn is_current(&self) -> bool {
        let end = boot_time() + OUTAGE_MAX;
        let mut state = self.state();
        loop {
            let now = boot_time();
            match *state {
                State::None => return true,
                State::Until(until) if now < until => return true,
                State::Until(_) if now < end => {
                    let waited = self.changed.wait_timeout(state, end.saturating_sub(now));
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                State::Until(_) | State::Lost => return false,
            }
        }
    }

    /// Whether the lease is held as far as is known, without a wait.
    pub(super) fn is_held(&self) -> bool {
        match *self.state() {
            State::None => true,
            State::Until(until) => boot_time() < until,
            State::Lost => false,
        }
    }

    /// Turns to `true` when another process has taken the lease.
    pub(super) fn lost(&self) -> watch::Receiver<bool> {
        self.lost.subscribe()
    }

    /// Notes an answer to what was asked at a time.
    pub(super) fn note(&self, asked: Duration, led: &Led) {
        match led {
            Led::Here => self.set(State::Until(asked + LEASE)),
            Led::There { node } => {
                tracing::error!(node, "the lease of the store is lost: another node leads");
                self.set(State::Lost);
                self.lost.send_replace(true);
            }
        }
    }

    /// Renews a lease until it is lost. An answer that does not come in time is asked for again.
    pub(super) async fn renew(self: Arc<Self>, way: Way, renew: Renew) {
        let slot = Slot::default();
        loop {
            sleep(RENEWAL_PAUSE).await;
            let asked = boot_time();
            let renewed = answered(&way, &slot, &renew, Duration::ZERO);
            match timeout(RENEWAL_TIMEOUT, renewed).await.unwrap_or(Err(Trouble::Slow)) {
                Ok(led) => self.note(asked, &led),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::warn!(error, "the lease of the store cannot be renewed");
                }
            }
            match *self.state() {
                State::Lost => return,
                State::Until(until) if boot_time() < until + OUTAGE_MAX => continue,
                State::Until(_) => {}
                State::None => continue,
            }
            tracing::error!("the lease of the store could not be renewed for too long");
            self.set(State::Lost);
            self.lost.send_replace(true);
            return;
        }
    }
}

/// The time since the machine was started, with the time that it was suspended.
pub(super) fn boot_time() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
