//! One cycle of monthly patching as people drive it: start, look through the scan, sign, wait.
//!
//! Not here: what is expected of it.

use std::time::Duration;

use hostler_tests::lab::until;
use serde_json::Value;

use super::LIMIT;
use super::command_line::CommandLine;

/// A run that was started.
pub struct Cycle<'a> {
    pub says: &'a CommandLine,
    pub run: String,
}

impl<'a> Cycle<'a> {
    /// Olga starts it for the servers that a selector names; it waits for no day, and soaking takes seconds.
    pub fn start(says: &'a CommandLine, targets: &str) -> Cycle<'a> {
        let targets = format!("targets={targets}");
        let words = [
            "run",
            "start",
            "monthly-patch",
            "-i",
            &targets,
            "-i",
            "soak=2s",
            "-i",
            "soak_early=1s",
            "-i",
            "canaries=0d",
            "-i",
            "early=0d",
            "-i",
            "others=0d",
        ];
        let started = says.value("olga", &words);
        Cycle {
            says,
            run: started["run"].as_str().unwrap().to_owned(),
        }
    }

    /// Looks until `look` finds something in the run; a store that is away for a moment is no end.
    pub fn wait<T>(
        &self,
        what: &str,
        limit: Duration,
        mut look: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        let mut last = Value::Null;
        let found = until(limit, || {
            if let Some(view) = self
                .says
                .try_value("olga", &["run", "show", "--all", &self.run])
            {
                let found = look(&view);
                last = view;
                if found.is_some() {
                    return found;
                }
            }
            // Ends with the run; else it is what spaces the looks.
            self.says
                .said("olga", &["run", "follow", &self.run, "--timeout", "1s"]);
            None
        });
        found.unwrap_or_else(|| panic!("{what}: not within {limit:?}: {last:#}"))
    }

    /// Waits for the open question of a step; its row.
    pub fn question(&self, step: &str) -> Value {
        self.wait(step, LIMIT, |view| {
            assert!(
                view["run"]["ended_ms"].is_null(),
                "no question of {step}, it has ended: {view:#}"
            );
            waiting(view, step)
        })
    }

    /// Waits until a person must say how to go on with an item: a question of this kind; its row.
    pub fn trouble(&self, kind: &str) -> Value {
        self.wait(kind, LIMIT, |view| {
            let over = !view["run"]["ended_ms"].is_null();
            assert!(!over, "nobody was asked: {view:#}");
            let rows = view["waiting"].as_array()?;
            rows.iter().find(|row| row["kind"] == kind).cloned()
        })
    }

    /// Pat looks through the scan and leaves nothing out.
    pub fn triage(&self) {
        let row = self.question("triage");
        self.says
            .text("pat", &["ask", "answer", row["lane"].as_str().unwrap()]);
    }

    /// Carla signs the plan; Olga, who started it, cannot.
    pub fn approve(&self) {
        let lane = self.question("go")["lane"].as_str().unwrap().to_owned();
        let own = self.says.said("olga", &["approve", "yes", &lane]);
        assert_eq!(
            own.code, 6,
            "the starter must not sign: {}{}",
            own.out, own.err
        );
        self.says
            .text("carla", &["approve", "yes", &lane, "-c", "as planned"]);
    }

    /// Waits for the end; how it ended.
    pub fn end(&self) -> String {
        self.wait("the end", LIMIT, |view| {
            let waits = view["waiting"]
                .as_array()
                .is_some_and(|rows| !rows.is_empty());
            assert!(!waits, "somebody is waited for: {:#}", view["waiting"]);
            let over = !view["run"]["ended_ms"].is_null();
            over.then(|| view["run"]["state"].as_str().unwrap().to_owned())
        })
    }

    /// How the item of a step ended and why, once it has.
    pub fn item(&self, step: &str, asset: &str, limit: Duration) -> (String, String) {
        self.wait(&format!("{asset}: the end of {step}"), limit, |view| {
            let lane = lane(view, step, asset)?;
            let result = lane["result"].as_str()?.to_owned();
            Some((result, lane["note"].as_str().unwrap_or_default().to_owned()))
        })
    }

    /// The bundle that an auditor gets.
    pub fn evidence(&self) -> Value {
        self.says.value("audrey", &["run", "evidence", &self.run])
    }

    /// The same as people read it.
    pub fn evidence_text(&self) -> String {
        self.says.text("audrey", &["run", "evidence", &self.run])
    }
}

/// The open question of a step.
pub fn waiting(view: &Value, step: &str) -> Option<Value> {
    let rows = view["waiting"].as_array()?;
    rows.iter().find(|row| row["step"] == step).cloned()
}

/// The lane of an item of a step.
fn lane<'v>(view: &'v Value, step: &str, asset: &str) -> Option<&'v Value> {
    let lanes = view["lanes"].as_array()?;
    lanes
        .iter()
        .find(|lane| lane["of_step"] == step && lane["key"] == asset)
}
