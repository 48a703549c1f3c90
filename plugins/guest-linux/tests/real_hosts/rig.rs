//! A lab host and the plugin's actions on it, native and over SSH.
//!
//! Not here: any expectation.

use hostler_plugin_guest_linux::PLUGIN;
use hostler_sdk::{
    Call, ExecOutcome, Failure, FailureKind, Host, HttpRequest, HttpResponse, JournalEntry, Level,
    ProbeKind, ProbeOutcome,
};
use hostler_tests::lab::{Family, Lab, LinuxHost, until};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::time::Duration;

pub const KEY_A: &str = "aaaaaaaa-0000-5000-8000-000000000001";
pub const KEY_B: &str = "bbbbbbbb-0000-5000-8000-000000000002";
/// A package takes seconds; the machine may compile meanwhile.
const LIMIT: Duration = Duration::from_secs(120);
/// An SSH client that cannot connect ends with this.
const SSH_FAILED: i32 = 255;

pub struct Rig {
    host: RefCell<LinuxHost>,
    fresh: Cell<u32>,
    _lab: Lab,
}

impl Rig {
    pub fn start(family: &str, packages: &[&str]) -> Self {
        Self::small(family, packages, 512)
    }

    pub fn small(family: &str, packages: &[&str], disk_mib: u32) -> Self {
        let lab = Lab::start().unwrap();
        let family = if family == "dnf" {
            Family::Rpm
        } else {
            Family::Debian
        };
        let host = lab
            .linux_host(1)
            .family(family)
            .installed(packages)
            .tmpfs_mib(disk_mib)
            .start()
            .unwrap();
        Self {
            host: RefCell::new(host),
            fresh: Cell::new(0),
            _lab: lab,
        }
    }

    pub fn address(&self) -> String {
        self.host.borrow().address().ip().to_string()
    }

    /// Runs a command inside, which must succeed.
    pub fn exec(&self, script: &str) -> String {
        let said = self.host.borrow().exec(script).unwrap();
        assert_eq!(said.code, 0, "{script}: {said:?}");
        said.out.trim().to_owned()
    }

    pub fn wait(&self, script: &str) {
        let held = until(LIMIT, || {
            (self.host.borrow().exec(script).unwrap().code == 0).then_some(())
        });
        assert!(held.is_some(), "never: {script}");
    }

    pub fn version(&self, package: &str) -> String {
        self.exec(&format!("dpkg-query -W -f '${{Version}}' {package}"))
    }

    /// Kills everything and starts anew; the disk stays.
    pub fn crash(&self) {
        let before = self.exec("cat /proc/sys/kernel/random/boot_id");
        self.host.borrow().exec("reboot").unwrap();
        let up = until(LIMIT, || {
            let said = self
                .host
                .borrow()
                .ssh("cat /proc/sys/kernel/random/boot_id", b"")
                .unwrap();
            (said.code == 0 && said.out.trim() != before).then_some(())
        });
        assert!(up.is_some(), "the host did not come back");
    }

    fn call(action: &str, key: &str, attempt: u32) -> Call {
        let mut call = hostler_testkit::call(action);
        call.idempotency_key = key.to_owned();
        call.attempt = attempt;
        call
    }

    pub fn perform(&self, action: &str, key: &str, attempt: u32, input: &Value) -> Value {
        json!(PLUGIN.perform(
            &Self::call(action, key, attempt),
            &mut Ssh(self),
            &input.to_string()
        ))
    }

    /// The stop hook of an asset whose record names this path.
    pub fn hook_at(&self, path: &str) -> Value {
        let mut call = Self::call("guest.hook", KEY_A, 1);
        call.asset = json!({ "id": "web1", "hooks": { "stop": path } }).to_string();
        json!(PLUGIN.perform(&call, &mut Ssh(self), r#"{"hook":"stop"}"#))
    }

    pub fn observe(&self, action: &str, key: &str, input: &Value) -> Value {
        json!(PLUGIN.observe(
            &Self::call(action, key, 1),
            &mut Ssh(self),
            &input.to_string(),
            None
        ))
    }

    pub fn cancel(&self, action: &str, key: &str, input: &Value) -> Value {
        json!(PLUGIN.cancel(
            &Self::call(action, key, 1),
            &mut Ssh(self),
            &input.to_string(),
            None
        ))
    }

    /// The output of an action that must be done at once.
    pub fn done(&self, action: &str, input: Value) -> Value {
        let answer = self.perform(action, KEY_A, 1, &input);
        assert_eq!(answer["answer"], "done", "{action}: {answer}");
        answer["output"].clone()
    }

    pub fn rejected(&self, action: &str, input: Value) -> Value {
        let answer = self.perform(action, KEY_A, 1, &input);
        assert_eq!(answer["answer"], "reject", "{action}: {answer}");
        answer
    }

    /// The answer after it is no longer pending.
    pub fn settled(&self, action: &str, key: &str, input: Value) -> Value {
        self.settled_from(action, key, 1, input)
    }

    /// As `settled`, under a key that nobody has used.
    pub fn settled_fresh(&self, action: &str, input: Value) -> Value {
        self.fresh.set(self.fresh.get() + 1);
        let key = format!("cccccccc-0000-5000-8000-{:012}", self.fresh.get());
        self.settled(action, &key, input)
    }

    pub fn settled_from(&self, action: &str, key: &str, attempt: u32, input: Value) -> Value {
        let mut answer = self.perform(action, key, attempt, &input);
        let call = Self::call(action, key, attempt);
        let end = until(LIMIT, || {
            if answer["answer"] != "pending" {
                return Some(answer.clone());
            }
            let checkpoint = answer["checkpoint"].to_string();
            answer = json!(PLUGIN.resume(&call, &mut Ssh(self), &input.to_string(), &checkpoint));
            None
        });
        end.unwrap_or_else(|| panic!("{action} did not settle: {answer}"))
    }
}

/// Runs the package's scripts over SSH, as the engine's host does.
struct Ssh<'a>(&'a Rig);

fn never<T>(what: &str) -> Result<T, Failure> {
    Err(Failure {
        kind: FailureKind::NotGranted,
        detail: format!("{what} is not for this plugin"),
        maybe_sent: false,
    })
}

impl Host for Ssh<'_> {
    fn exec(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
        _timeout_ms: Option<u32>,
    ) -> Result<ExecOutcome, Failure> {
        assert_eq!(connection, "target");
        let script = PLUGIN
            .scripts
            .iter()
            .find(|known| known.name == script)
            .unwrap();
        let quoted = script.text.replace('\'', r"'\''");
        let said = self.0.host.borrow().ssh(
            &format!("exec sh -c '{quoted}'"),
            format!("{arguments}\n").as_bytes(),
        );
        let said = said.unwrap();
        if said.code == SSH_FAILED {
            return Err(Failure {
                kind: FailureKind::Unreachable,
                detail: said.err,
                maybe_sent: true,
            });
        }
        let exit_code = u32::try_from(said.code).ok();
        Ok(ExecOutcome {
            exit_code,
            stdout: said.out,
            stderr: said.err,
            truncated: false,
        })
    }

    fn send(&mut self, _connection: &str, _request: &HttpRequest) -> Result<HttpResponse, Failure> {
        never("http")
    }

    fn probe(&mut self, _connection: &str, _kind: ProbeKind) -> Result<ProbeOutcome, Failure> {
        never("probe")
    }

    fn blob_put(&mut self, _bytes: &[u8]) -> Result<String, Failure> {
        never("blob")
    }

    fn blob_get(&mut self, _digest: &str) -> Result<Vec<u8>, Failure> {
        never("blob")
    }

    fn secret_generate(&mut self, _purpose: &str) -> Result<String, Failure> {
        never("secret")
    }

    fn secret_derive(&mut self, _placeholder: &str, _label: &str) -> Result<String, Failure> {
        never("secret")
    }

    fn journal(&mut self) -> Vec<JournalEntry> {
        Vec::new()
    }

    fn log(&mut self, _level: Level, _line: &str) {}

    fn progress(&mut self, _percent: u8, _note: &str) {}
}
