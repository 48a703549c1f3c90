//! The API of a running engine, as its people use it. What cannot be reached is asked again: a start with the
//! same key is the same run.
//!
//! Not here: what an answer means for a test.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::time::Duration;

use hostler_tests::lab::{Answer, request_with, until};
use serde_json::{Value, json};

use super::{LIMIT, files};

/// One engine's door.
#[derive(Clone, Debug)]
pub struct Api(pub SocketAddr);

impl Api {
    /// One request, whatever comes of it; none when there is no answer.
    pub fn ask(
        &self,
        who: &str,
        method: &str,
        path: &str,
        key: &str,
        body: &str,
    ) -> Option<Answer> {
        let token = files::token(who);
        let key = match key {
            "" => String::new(),
            key => format!("Idempotency-Key: {key}\r\n"),
        };
        let headers = format!("Authorization: Bearer {token}\r\n{key}");
        request_with(self.0, method, path, &headers, body).ok()
    }

    /// Reads until there is an answer.
    pub fn read(&self, path: &str) -> Value {
        let last = RefCell::new(String::new());
        let read = || {
            let answer = self.ask("olga", "GET", path, "", "")?;
            let told = answer.json();
            *last.borrow_mut() = format!("{} {told:?}", answer.status);
            (answer.status == 200).then(|| told.ok())?
        };
        let answer = until(LIMIT, read);
        answer.unwrap_or_else(|| panic!("GET {path}: not within {LIMIT:?}, last {}", last.borrow()))
    }

    /// Starts a run until it is accepted; its id.
    pub fn start(&self, targets: &str, key: &str) -> String {
        let begun = || self.try_start(targets, key).ok();
        until(LIMIT, begun).unwrap_or_else(|| panic!("{key}: not accepted within {LIMIT:?}"))
    }

    /// Starts a run once; its id, or what was said instead.
    pub fn try_start(&self, targets: &str, key: &str) -> Result<String, Option<Answer>> {
        self.try_start_of(files::RUNBOOK, targets, key)
    }

    /// The same with a runbook of the caller's choice.
    pub fn try_start_of(
        &self,
        runbook: &str,
        targets: &str,
        key: &str,
    ) -> Result<String, Option<Answer>> {
        let body = json!({ "runbook": runbook, "inputs": { "targets": targets } });
        let answer = self.ask("olga", "POST", "/api/v1/runs", key, &body.to_string());
        let answer = answer.ok_or(None)?;
        let run = answer.json().ok().and_then(|body| {
            let run = body["run"].as_str()?;
            matches!(answer.status, 200 | 201).then(|| run.to_owned())
        });
        run.ok_or(Some(answer))
    }

    /// Cancels a run.
    pub fn cancel(&self, run: &str) {
        let path = format!("/api/v1/runs/{run}/cancel");
        let answer = self.ask("olga", "POST", &path, "cancel", "{}");
        let status = answer.as_ref().map(|answer| answer.status);
        assert!(matches!(status, Some(200 | 202)), "{answer:?}");
    }

    /// Decides, once, that what the store holds counts; none while it has not gone back, or says nothing.
    pub fn accepts_loss(&self, reason: &str) -> Option<Value> {
        let store = self.ask("ada", "GET", "/api/v1/store", "", "")?;
        if store.json().ok()?["regressed"].is_null() {
            return None;
        }
        let body = json!({ "reason": reason }).to_string();
        let path = "/api/v1/store/generation";
        let answer = self.ask("ada", "POST", path, "", &body)?;
        (answer.status == 200).then(|| answer.json().ok())?
    }

    /// Open questions; none when the engine cannot be reached.
    pub fn try_waiting(&self) -> Option<Vec<Value>> {
        let answer = self.ask("olga", "GET", "/api/v1/waiting", "", "")?;
        answer.json().ok()?.as_array().cloned()
    }

    /// Signs every approval that is open now, without waiting for the engine.
    pub fn sign(&self) {
        self.sign_every(1, 0);
    }

    /// The same for one of several who sign at the same time: every nth, from the `of`th on.
    pub fn sign_every(&self, nth: usize, of: usize) {
        let open = self.try_waiting().unwrap_or_default();
        let open = open.iter().filter(|row| row["kind"] == "approve");
        for row in open.skip(of).step_by(nth) {
            // What was not heard is signed again at the next look.
            let _ = self.sign_one(row, "sign");
        }
    }

    /// Decides a run's questions once more, as somebody who was not heard before: how the list of questions was
    /// answered, and each decision.
    pub fn sign_anew(&self, run: &str) -> Vec<Option<Answer>> {
        let list = self.ask("olga", "GET", "/api/v1/waiting", "", "");
        let rows = list.as_ref().and_then(|list| list.json().ok());
        let open = rows
            .as_ref()
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let open = open.filter(|row| row["run"] == run);
        let decided: Vec<_> = open.map(|row| self.sign_one(row, "anew")).collect();
        [list].into_iter().chain(decided).collect()
    }

    fn sign_one(&self, row: &Value, key: &str) -> Option<Answer> {
        let lane = row["lane"].as_str().unwrap_or_default();
        let path = format!("/api/v1/waiting/{lane}/decision");
        let body = json!({ "yes": true, "signs": row["signs"] }).to_string();
        self.ask("carla", "POST", &path, &format!("{key}-{lane}"), &body)
    }

    /// Signs until the run has nothing to sign any more.
    pub fn signed(&self, run: &str) {
        let path = format!("/api/v1/runs/{run}");
        let done = until(LIMIT, || {
            self.sign();
            let view = self.read(&path);
            (view["run"]["step"] != "go").then_some(())
        });
        assert!(done.is_some(), "{run} was not signed");
    }

    /// A run with its lanes.
    pub fn run(&self, run: &str) -> Value {
        self.read(&format!("/api/v1/runs/{run}"))
    }

    /// Looks at a run until `look` finds something.
    pub fn until<T>(
        &self,
        what: &str,
        run: &str,
        limit: Duration,
        look: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let found = until(limit, || look(&self.run(run)));
        found.unwrap_or_else(|| {
            panic!("{what}: not within {limit:?}: {:#}", self.run(run));
        })
    }
}
