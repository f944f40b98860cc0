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

    /// Looks at the policy in force. It is not replaced meanwhile, and decisions go on.
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

    /// Changes the policy in force; `None` while lists are being read, which never takes long.
    pub fn change<T>(&self, change: impl FnOnce(&mut Policy, &Hits) -> T) -> Option<T> {
        let mut policy = self.policy.try_write().ok()?;
        let hits = self.hits.lock().unwrap_or_else(PoisonError::into_inner);
        Some(change(&mut policy, &hits))
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
