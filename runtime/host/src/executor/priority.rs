//! How much the system favours a thread.

/// A thread of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Thread {
    #[cfg(target_os = "linux")]
    id: rustix::thread::Pid,
}

impl Thread {
    /// The thread that asks.
    pub(super) fn current() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            id: rustix::thread::gettid(),
        }
    }

    /// How long the thread has waited for a core since it began, as far as the system tells.
    pub(super) fn waited_ns(&self) -> u64 {
        self.scheduled(1)
    }

    /// How long the thread has had a core since it began, as far as the system tells.
    pub(super) fn ran_ns(&self) -> u64 {
        self.scheduled(0)
    }

    /// A figure of the scheduler: time on a core, time waiting for one, and the number of turns.
    #[cfg(target_os = "linux")]
    fn scheduled(&self, place: usize) -> u64 {
        let path = format!("/proc/self/task/{}/schedstat", self.id.as_raw_nonzero());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().nth(place).and_then(|figure| figure.parse().ok()).unwrap_or(0)
    }

    #[cfg(not(target_os = "linux"))]
    fn scheduled(&self, _place: usize) -> u64 {
        0
    }

    /// Gives the current thread what no other wants. On Linux that is the policy `SCHED_IDLE`:
    /// whatever wakes up has the core at once, which no nice value brings about.
    pub(super) fn lower(&self) {
        #[cfg(target_os = "linux")]
        {
            use thread_priority::{
                NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
                set_thread_priority_and_policy, thread_native_id,
            };
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            // The policy is set first; then the crate resets the nice value, which only a
            // privileged user may and which does not matter in this policy.
            let set = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
            if let Err(error) = set {
                tracing::debug!(?error, "a background thread keeps its nice value");
            }
        }
        self.hold_back();
    }

    /// Makes a thread nice from outside, such as one that is stuck.
    pub(super) fn hold_back(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = rustix::process::setpriority_process(Some(self.id), NICE) {
            tracing::debug!(%error, "a thread of guests keeps its priority");
        }
    }
}

/// The least that a nice value asks for.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;
