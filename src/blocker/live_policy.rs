//! The policy in force, replaced whole while calls are being decided.

use crate::clock::Timestamp;
use crate::screen::{Caller, Hits, Moment, Policy, Verdict};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A handle on the policy in force; clones are handles on the same. A decision never waits for lists
/// that are being read.
#[derive(Clone, Debug)]
pub struct LivePolicy {
    policy: Arc<RwLock<Policy>>,
    hits: Arc<Mutex<Hits>>,
}

impl LivePolicy {
    /// In force from now on.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: Arc::new(RwLock::new(policy)),
            hits: Arc::default(),
        }
    }

    /// The verdict on a caller.
    pub fn screen(&self, caller: &Caller, now: Moment) -> Verdict {
        self.read(|policy| policy.screen(caller, now))
    }

    /// Looks at the policy in force, and should not take long: it is not replaced meanwhile. To read
    /// lists again, work on a clone.
    pub fn read<T>(&self, look: impl FnOnce(&Policy) -> T) -> T {
        look(&self.policy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts another policy in force; temporary permits stay.
    pub fn replace(&self, mut policy: Policy) {
        let old = {
            let mut live = self.policy.write().unwrap_or_else(PoisonError::into_inner);
            policy.permits = mem::take(&mut live.permits);
            mem::replace(&mut *live, policy)
        };
        // Millions of entries are given back after the lock.
        drop(old);
    }

    /// Changes the policy in force. Decisions wait meanwhile.
    pub fn change<T>(&self, change: impl FnOnce(&mut Policy, &Hits) -> T) -> T {
        let mut policy = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        let hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut policy, &hits)
    }

    /// Adds hits of earlier times.
    pub fn add_hits(&self, earlier: &Hits) {
        let mut hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        hits.merge(earlier);
    }

    /// A call that was decided so is over: its rule is counted, its permit for one call is spent.
    pub fn call_over(&self, verdict: &Verdict, now: Timestamp) {
        self.hits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .record(verdict, now);
        self.change(|policy, _| policy.spend_permits(verdict, now));
    }
}
