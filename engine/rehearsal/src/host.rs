//! A plugin host that answers from a script and keeps count of what it was asked.

use crate::blow::{Aim, Blow};
use crate::sample;
use crate::scenario::Answer as Script;
use async_trait::async_trait;
use hostler_core::answer::Answer;
use hostler_core::contract::{Action, Contract};
use hostler_core::duration::parse_ms;
use hostler_core::id::{Digest, LaneId};
use hostler_ports::plugin::{Call, Description, Entry, HostError, Observed, PluginHost, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use uuid::Uuid;

/// One call as the target saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    pub action: String,
    pub asset: Option<String>,
    /// As the plugin hears it: the action, behind `undo:` where it takes something back.
    pub step: String,
    pub lane: LaneId,
    pub key: Uuid,
    /// `perform`, `resume`, `observe`, `cancel`, `plan`.
    pub entry: &'static str,
    /// The effect took place (and the answer may still have been lost).
    pub done: bool,
    /// What it does ends by itself: its input says for how long.
    pub ends: bool,
    /// By the store's clock.
    pub at_ms: i64,
}

/// What happens while a call goes on, to the lane that makes it.
type Meanwhile = Box<dyn Fn(LaneId) + Send>;

pub struct ScriptedHost {
    plugins: BTreeMap<Digest, Arc<Description>>,
    actions: BTreeMap<String, Action>,
    scripts: Mutex<Vec<(Script, u32)>>,
    seen: Mutex<Vec<Seen>>,
    kill: tokio::sync::Notify,
    /// Number of the performing call whose answer is lost, from 1.
    lose: AtomicU64,
    /// Number of the performing call during which something happens.
    meanwhile: Mutex<Option<(u64, Meanwhile)>>,
    performed: AtomicU64,
    /// The one step whose calls go wrong.
    aim: Mutex<Option<Aim>>,
    /// A worker has fallen asleep in a call; it is woken up again.
    sleeps: tokio::sync::Notify,
    wakes: tokio::sync::Notify,
    /// What was answered under a key, once its effect took place.
    kept: Mutex<BTreeMap<Uuid, Answer>>,
}

impl ScriptedHost {
    /// One component for each plugin name that the estate routes to.
    pub fn new(contracts: &[Contract], plugins: &[String], scripts: &[Script]) -> Self {
        let actions: Vec<_> = contracts
            .iter()
            .flat_map(|contract| contract.actions.clone())
            .collect();
        let described = plugins.iter().map(|name| {
            let description = Description {
                name: name.clone(),
                version: "1.0.0".to_owned(),
                actions: actions.clone(),
            };
            (Digest::of(name.as_bytes()), Arc::new(description))
        });
        Self {
            plugins: described.collect(),
            actions: actions
                .into_iter()
                .map(|action| (action.name.clone(), action))
                .collect(),
            scripts: Mutex::new(scripts.iter().map(|script| (script.clone(), 0)).collect()),
            seen: Mutex::default(),
            kill: tokio::sync::Notify::new(),
            lose: AtomicU64::new(0),
            meanwhile: Mutex::default(),
            performed: AtomicU64::new(0),
            aim: Mutex::default(),
            sleeps: tokio::sync::Notify::new(),
            wakes: tokio::sync::Notify::new(),
            kept: Mutex::default(),
        }
    }

    /// The same with other bytes for one plugin.
    pub fn rebuilt(mut self, plugin: &str) -> Self {
        if let Some(description) = self.plugins.remove(&Digest::of(plugin.as_bytes())) {
            let bytes = format!("{plugin}, built again");
            self.plugins
                .insert(Digest::of(bytes.as_bytes()), description);
        }
        self
    }

    /// From now on calls are answered so.
    pub fn answers_now(&self, scripts: &[Script]) {
        let scripts = scripts.iter().map(|script| (script.clone(), 0)).collect();
        *self.scripts.lock().unwrap_or_else(PoisonError::into_inner) = scripts;
    }

    /// Calls under this key go wrong.
    pub fn aim(&self, blow: Blow, key: Uuid) {
        *self.aim.lock().unwrap_or_else(PoisonError::into_inner) = Some(Aim::at(blow, key));
    }

    fn strikes(&self, call: &Call) -> Option<Blow> {
        let mut aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
        aim.as_mut()?.strikes(call.idempotency_key)
    }

    /// Whether nobody can tell any more what became of this call.
    fn is_forgotten(&self, call: &Call) -> bool {
        let aim = self.aim.lock().unwrap_or_else(PoisonError::into_inner);
        aim.as_ref()
            .is_some_and(|aim| aim.forgets(call.idempotency_key))
    }

    /// Resolves when a worker falls asleep with an answer in its hand.
    pub async fn slept(&self) {
        self.sleeps.notified().await;
    }

    pub fn wake(&self) {
        self.wakes.notify_one();
    }

    fn kept(&self, key: Uuid) -> Option<Answer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(&key).cloned()
    }

    /// The answer of this performing call is lost with its worker, although the effect took place.
    pub fn lose_answer_of(&self, number: u64) {
        self.lose.store(number, Ordering::SeqCst);
    }

    /// While this performing call goes on, `happens` does.
    pub fn during(&self, number: u64, happens: Meanwhile) {
        let meanwhile = self.meanwhile.lock();
        *meanwhile.unwrap_or_else(PoisonError::into_inner) = Some((number, happens));
    }

    fn let_happen(&self, number: u64, lane: LaneId) {
        let meanwhile = self.meanwhile.lock();
        let meanwhile = meanwhile.unwrap_or_else(PoisonError::into_inner);
        if let Some((wanted, happens)) = &*meanwhile
            && *wanted == number
        {
            happens(lane);
        }
    }

    /// Resolves when the worker dies in the middle of a call.
    pub async fn killed(&self) {
        self.kill.notified().await;
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, call: &Call, entry: &'static str, done: bool) {
        let asset = call
            .asset
            .get("id")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let seen = Seen {
            action: call.action.clone(),
            asset,
            step: call.step.clone(),
            lane: call.lane,
            key: call.idempotency_key,
            entry,
            done,
            ends: call.input.get("for").is_some(),
            at_ms: call.now_ms,
        };
        self.seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }

    fn script(&self, call: &Call) -> Option<Script> {
        let asset = call.asset.get("id").and_then(Value::as_str);
        let mut scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |script: &Script| {
            script.action == call.action
                && script
                    .asset
                    .as_deref()
                    .is_none_or(|wanted| Some(wanted) == asset)
        };
        let (script, used) = scripts.iter_mut().find(|(script, used)| {
            fits(script) && script.times.is_none_or(|times| *used < times)
        })?;
        *used += 1;
        Some(script.clone())
    }

    /// The number of the call, and its answer.
    fn perform(
        &self,
        call: &Call,
        blow: Option<Blow>,
        resumes: bool,
    ) -> Result<(u64, Reply), HostError> {
        let number = self.performed.fetch_add(1, Ordering::SeqCst) + 1;
        if let Some(answer) = self.kept(call.idempotency_key) {
            self.note(call, "perform", true);
            return Ok((number, Reply::Answer(answer)));
        }
        let script = match blow {
            Some(blow) if !blow.takes_effect() => blow.script(),
            _ => self.script(call).unwrap_or_default(),
        };
        if script.hang {
            self.note(call, "perform", false);
            return Err(HostError::Limit {
                limit: "time",
                detail: "it never answered".to_owned(),
            });
        }
        let pends = script.pends.as_deref().and_then(parse_ms);
        let answer = match pends.filter(|_| !resumes) {
            Some(resume_after_ms) => Answer::Pending {
                checkpoint: json!({}),
                resume_after_ms,
            },
            None => self.answer(call, &script),
        };
        let done = matches!(answer, Answer::Done { .. });
        if done && self.mutates(call) {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.insert(call.idempotency_key, answer.clone());
        }
        self.note(call, "perform", done);
        Ok((number, Reply::Answer(answer)))
    }

    /// A read is answered anew each time; a target knows the keys of what it has changed.
    fn mutates(&self, call: &Call) -> bool {
        let action = self.actions.get(&call.action);
        action.is_some_and(|action| action.effect.mutates())
    }

    fn answer(&self, call: &Call, script: &Script) -> Answer {
        if let Some(reason) = &script.reject {
            return Answer::Reject {
                reason: reason.clone(),
                output: Value::Null,
            };
        }
        if let Some(reason) = &script.retry {
            return Answer::Retry {
                reason: reason.clone(),
                after_ms: None,
            };
        }
        let sampled = || {
            self.actions
                .get(&call.action)
                .map_or(json!({}), |action| sample::of(&action.output))
        };
        let mut output = sampled();
        if let (Value::Object(output), Some(Value::Object(done))) = (&mut output, &script.done) {
            output.extend(done.clone());
        }
        // A frozen set is handed on as it came in, unless the script says otherwise.
        if let (Some(set), Some(output)) = (call.input.get("set"), output.as_object_mut())
            && output.contains_key("set")
            && script.done.is_none()
        {
            output.insert("set".to_owned(), set.clone());
            output.insert("count".to_owned(), json!(1));
        }
        Answer::Done {
            output,
            evidence: Vec::new(),
        }
    }

    /// Without a script the target tells the truth: done, if a call with this key took effect.
    fn observe(&self, call: &Call) -> Reply {
        let scripts = self.scripts.lock().unwrap_or_else(PoisonError::into_inner);
        let said = scripts
            .iter()
            .find(|(script, _)| script.action == call.action && script.observe.is_some());
        let said = said.and_then(|(script, _)| script.observe.clone());
        drop(scripts);
        let took_effect = self
            .seen()
            .iter()
            .any(|seen| seen.key == call.idempotency_key && seen.done);
        let observed = match said.as_deref() {
            None if self.is_forgotten(call) => Observed::Unknown {
                why: "the target does not remember".to_owned(),
            },
            Some("unknown") => Observed::Unknown {
                why: "the target does not remember".to_owned(),
            },
            Some("not-done") => Observed::NotDone,
            Some(_) => Observed::Done {
                output: self.sampled(call),
            },
            None if took_effect => Observed::Done {
                output: self.sampled(call),
            },
            None => Observed::NotDone,
        };
        self.note(call, "observe", false);
        Reply::Observed(observed)
    }

    fn sampled(&self, call: &Call) -> Value {
        let kept = self.kept(call.idempotency_key);
        match kept.unwrap_or_else(|| self.answer(call, &Script::default())) {
            Answer::Done { output, .. } => output,
            _ => Value::Null,
        }
    }
}

#[async_trait]
impl PluginHost for ScriptedHost {
    fn plugins(&self) -> BTreeMap<Digest, Arc<Description>> {
        self.plugins.clone()
    }

    async fn call(&self, entry: Entry, call: Call) -> Result<Reply, HostError> {
        let resumes = matches!(entry, Entry::Resume { .. });
        match entry {
            Entry::Perform | Entry::Resume { .. } => {
                let blow = self.strikes(&call);
                let (number, reply) = self.perform(&call, blow, resumes)?;
                self.let_happen(number, call.lane);
                let dies = blow.is_some_and(Blow::kills);
                if dies || self.lose.load(Ordering::SeqCst) == number {
                    self.kill.notify_one();
                    std::future::pending::<()>().await;
                }
                if blow == Some(Blow::Twice) {
                    self.sleeps.notify_one();
                    self.wakes.notified().await;
                }
                Ok(reply)
            }
            Entry::Observe { .. } => Ok(self.observe(&call)),
            Entry::Cancel { .. } => {
                self.note(&call, "cancel", false);
                Ok(Reply::Observed(Observed::NotDone))
            }
            Entry::Plan => Ok(Reply::Plan(Value::Null)),
        }
    }
}
