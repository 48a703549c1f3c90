//! People at work while parts fail: runs are started and signed until told to stop.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hostler_tests::lab::until;

use super::api::Api;
use super::{LIMIT, files};

/// Longest that everything takes: a guard, not a figure.
const ALL: Duration = Duration::from_secs(6 * 3_600);

/// Runs that may be allowed and not accepted yet.
const BACKLOG_MAX: usize = 24;

/// Starts runs of two servers each, as many as are allowed, and signs what is open.
pub struct People {
    api: Api,
    allowed: AtomicUsize,
    stop: AtomicBool,
    runs: Mutex<Vec<String>>,
}

impl People {
    pub fn new(api: &Api, allowed: usize) -> People {
        People {
            api: api.clone(),
            allowed: AtomicUsize::new(allowed),
            stop: AtomicBool::new(false),
            runs: Mutex::default(),
        }
    }

    /// One more run, once those before it are not too many to come.
    pub fn allow(&self) {
        let accepted = || self.runs.lock().unwrap().len();
        let near =
            || (accepted() + BACKLOG_MAX >= self.allowed.load(Ordering::SeqCst)).then_some(());
        assert!(until(LIMIT, near).is_some(), "runs are not accepted");
        self.allowed.fetch_add(1, Ordering::SeqCst);
    }

    /// Works until the [`Stop`] is dropped; on a thread of its own.
    pub fn work(&self) {
        let over = until(ALL, || {
            self.api.sign();
            let number = self.runs.lock().unwrap().len();
            if number < self.allowed.load(Ordering::SeqCst) {
                let run = self
                    .api
                    .start(&files::pair(number), &format!("run-{number}"));
                self.runs.lock().unwrap().push(run);
            }
            self.stop.load(Ordering::SeqCst).then_some(())
        });
        assert!(over.is_some(), "the test did not end in time");
    }

    /// Waits until every allowed run is accepted; their ids. Signing goes on.
    pub fn runs(&self) -> Vec<String> {
        let allowed = self.allowed.load(Ordering::SeqCst);
        let all = || (self.runs.lock().unwrap().len() >= allowed).then_some(());
        assert!(until(LIMIT, all).is_some(), "runs were not accepted");
        self.runs.lock().unwrap().clone()
    }

    /// They stop when this is dropped, also by a test that fails: else it would wait for them.
    pub fn until_dropped(&self) -> Stop<'_> {
        Stop(self)
    }
}

/// Ends the work of people.
pub struct Stop<'a>(&'a People);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}
