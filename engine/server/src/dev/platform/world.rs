//! Servers, attempts and operations of the practice platform.

use super::Said;
use super::actions;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Attempts that are remembered; a run of the practice estate makes about a thousand.
const ATTEMPTS_MAX: usize = 20_000;
/// How often pending work wants to be asked about.
const ASK_AFTER_MS: u64 = 150;

/// What a server of the practice estate is.
#[derive(Clone, Debug, Default)]
pub struct Server {
    pub id: String,
    /// Actions that are refused so many times before they work: `guest-patch.verify` once.
    pub faults: BTreeMap<String, u32>,
}

/// A server with what has been done to it.
pub struct Machine {
    pub server: Server,
    /// Installed versions by package.
    pub packages: BTreeMap<String, String>,
    /// Newest versions by package; what differs is an update.
    pub newest: BTreeMap<String, String>,
    /// The set that was applied last, for an undo that names none.
    pub applied: Option<String>,
    pub snapshots: u32,
    pub silences: u32,
    pub boots: u32,
}

enum Progress {
    Done(Said),
    /// Output is made when it is over.
    Going {
        until: Instant,
        action: String,
        input: Value,
    },
    Stopped,
}

struct Attempt {
    asset: String,
    action: String,
    progress: Progress,
}

pub struct World {
    machines: BTreeMap<String, Machine>,
    /// By idempotency key; the key is the operation's name as well.
    attempts: BTreeMap<String, Attempt>,
    order: VecDeque<String>,
}

impl World {
    pub fn new(servers: Vec<Server>) -> Self {
        let machines = servers
            .into_iter()
            .map(|server| (server.id.clone(), actions::machine(server)))
            .collect();
        Self {
            machines,
            attempts: BTreeMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The same key on the same asset and action gives the same answer and no second effect.
    pub fn perform(&mut self, id: &str, action: &str, key: &str, input: &Value) -> Said {
        if let Some(known) = self.attempts.get(key) {
            if known.asset != id || known.action != action {
                return Said::rejected("this key was used for something else", Value::Null);
            }
            return self.operation(key);
        }
        if id != "-" && !self.machines.contains_key(id) {
            return Said::none(&format!("there is no server {id}"));
        }
        let progress = self.begin(id, action, input);
        self.remember(id, action, key, progress);
        self.operation(key)
    }

    fn begin(&mut self, id: &str, action: &str, input: &Value) -> Progress {
        let Some(machine) = self.machines.get_mut(id) else {
            return Progress::Done(actions::ambient(action, input));
        };
        let left = machine
            .server
            .faults
            .get_mut(action)
            .filter(|left| **left > 0);
        if let Some(left) = left {
            *left -= 1;
            return Progress::Done(actions::refused(action));
        }
        match actions::lasts_ms(id, action) {
            0 => Progress::Done(actions::perform(machine, action, input)),
            ms => Progress::Going {
                until: Instant::now() + Duration::from_millis(ms),
                action: action.to_owned(),
                input: input.clone(),
            },
        }
    }

    fn remember(&mut self, id: &str, action: &str, key: &str, progress: Progress) {
        if self.order.len() >= ATTEMPTS_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.attempts.remove(&oldest);
        }
        self.order.push_back(key.to_owned());
        let attempt = Attempt {
            asset: id.to_owned(),
            action: action.to_owned(),
            progress,
        };
        self.attempts.insert(key.to_owned(), attempt);
    }

    /// How it stands; what is over takes effect now.
    pub fn operation(&mut self, key: &str) -> Said {
        let Some(attempt) = self.attempts.get_mut(key) else {
            return Said::none("there is no such operation");
        };
        if let Progress::Going {
            until,
            action,
            input,
        } = &attempt.progress
            && *until <= Instant::now()
        {
            let said = match self.machines.get_mut(&attempt.asset) {
                Some(machine) => actions::perform(machine, action, input),
                None => Said::none("the server is gone"),
            };
            attempt.progress = Progress::Done(said);
        }
        match &attempt.progress {
            Progress::Done(said) => said.clone(),
            Progress::Going { .. } => Said {
                status: 202,
                body: json!({ "checkpoint": { "operation": key }, "after_ms": ASK_AFTER_MS }),
            },
            Progress::Stopped => {
                Said::rejected("it was stopped before anything was changed", Value::Null)
            }
        }
    }

    /// 200, 202 or 404: it never began, or was stopped before it did anything.
    pub fn attempt(&mut self, id: &str, key: &str) -> Said {
        match self.attempts.get(key) {
            Some(attempt) if attempt.asset == id => match self.operation(key) {
                said if said.status == 422 => Said::none("it changed nothing"),
                said => said,
            },
            _ => Said::none("it never began"),
        }
    }

    /// Work that has not taken effect is stopped; what is over stays so.
    pub fn stop(&mut self, key: &str) -> Said {
        let before = self.operation(key);
        if before.status == 202
            && let Some(attempt) = self.attempts.get_mut(key)
        {
            attempt.progress = Progress::Stopped;
            return self.operation(key);
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        let faults = [("guest-patch.verify".to_owned(), 1)].into();
        World::new(vec![Server {
            id: "web1".into(),
            faults,
        }])
    }

    fn text<'a>(said: &'a Said, key: &str) -> &'a str {
        said.body["output"][key].as_str().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_update_is_found_applied_verified_and_taken_back() {
        let mut world = world();
        let scan = world.perform("web1", "guest-patch.scan", "k1", &json!({}));
        let set = json!({ "set": text(&scan, "set") });
        let count = scan.body["output"]["count"].as_u64().unwrap();
        assert!(count > 0);
        let apply = json!({ "set": set["set"], "reboot": "if-needed" });
        let begun = world.perform("web1", "guest-patch.apply", "k2", &apply);
        assert_eq!(begun.status, 202);
        assert_eq!(
            world
                .perform("web1", "guest-patch.apply", "k2", &apply)
                .status,
            202
        );
        tokio::time::advance(Duration::from_secs(60)).await;
        let done = world.operation("k2");
        assert_eq!(
            done.body["output"]["changed"].as_array().unwrap().len() as u64,
            count
        );
        assert_eq!(
            world.operation("k2"),
            done,
            "the same answer, no second effect"
        );
        assert_eq!(
            world
                .perform("web1", "guest-patch.verify", "k3", &set)
                .status,
            422,
            "fails once"
        );
        assert_eq!(
            world
                .perform("web1", "guest-patch.verify", "k4", &set)
                .status,
            200
        );
        let rescan = world.perform("web1", "guest-patch.scan", "k5", &json!({}));
        assert_eq!(rescan.body["output"]["count"], 0);
        world.perform("web1", "guest-patch.undo", "k6", &json!({}));
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(world.operation("k6").status, 200);
        assert_eq!(
            world
                .perform("web1", "guest-patch.scan", "k7", &json!({}))
                .body["output"]["count"],
            count
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stopped_operation_changes_nothing() {
        let mut world = world();
        let scan = world.perform("web1", "guest-patch.scan", "k1", &json!({}));
        let apply = json!({ "set": text(&scan, "set"), "reboot": "never" });
        world.perform("web1", "guest-patch.apply", "k2", &apply);
        assert_eq!(world.stop("k2").status, 422);
        tokio::time::advance(Duration::from_secs(60)).await;
        assert_eq!(world.attempt("web1", "k2").status, 404);
        let again = world.perform("web1", "guest-patch.scan", "k3", &json!({}));
        assert_eq!(again.body, scan.body);
    }

    #[test]
    fn a_key_belongs_to_one_asset_and_action() {
        let mut world = world();
        world.perform("web1", "guest-patch.scan", "k1", &json!({}));
        assert_eq!(
            world
                .perform("web1", "monitor.healthy", "k1", &json!({}))
                .status,
            422
        );
        assert_eq!(
            world
                .perform("other", "guest-patch.scan", "k2", &json!({}))
                .status,
            404
        );
        assert_eq!(world.attempt("web1", "unknown").status, 404);
    }
}
