//! The component's side: the imports behind `Host`, the exports in front of `Plugin`.
//!
//! Built for WebAssembly only. Not here: any rule of an action.

use crate::answer::{Answer, Observed};
use crate::call::{Call, Grant};
use crate::dispatch::Plugin;
use crate::host::{
    ExecOutcome, Failure, FailureKind, Host, JournalEntry, Level, ProbeKind, ProbeOutcome,
};
use crate::http::{HttpRequest, HttpResponse};
use serde_json::Value;
use std::marker::PhantomData;

#[allow(missing_docs, clippy::all)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/platform@1.0.0",
        world: "plugin",
        pub_export_macro: true,
        export_macro_name: "export_component",
        runtime_path: "hostler_sdk::wit_bindgen::rt",
        default_bindings_module: "hostler_sdk::guest::bindings",
    });
}

pub use bindings::export_component;
use bindings::hostler::platform as wit;

/// Gives a component its plugin.
pub trait Provider: 'static {
    fn plugin() -> &'static Plugin;
}

/// The exports of a component, over the plugin of a provider.
pub struct Glue<P>(PhantomData<P>);

impl<P: Provider> bindings::Guest for Glue<P> {
    fn describe() -> String {
        P::plugin().describe().to_string()
    }

    fn plan(call: wit::types::Call, input: String) -> Result<String, String> {
        report_panics();
        P::plugin()
            .plan(&call.into(), &mut Imports, &input)
            .map(|value| value.to_string())
    }

    fn perform(call: wit::types::Call, input: String) -> wit::types::Answer {
        report_panics();
        P::plugin()
            .perform(&call.into(), &mut Imports, &input)
            .into()
    }

    fn resume(call: wit::types::Call, input: String, checkpoint: String) -> wit::types::Answer {
        report_panics();
        P::plugin()
            .resume(&call.into(), &mut Imports, &input, &checkpoint)
            .into()
    }

    fn observe(
        call: wit::types::Call,
        input: String,
        checkpoint: Option<String>,
    ) -> wit::types::Observed {
        report_panics();
        match P::plugin().observe(&call.into(), &mut Imports, &input, checkpoint.as_deref()) {
            Observed::Done { output } => wit::types::Observed::Done(output.to_string()),
            Observed::NotDone => wit::types::Observed::NotDone,
            Observed::Going { ask_after_ms } => wit::types::Observed::Going(ask_after_ms),
            Observed::Unknown { why } => wit::types::Observed::Unknown(why),
        }
    }

    fn cancel(
        call: wit::types::Call,
        input: String,
        checkpoint: Option<String>,
    ) -> wit::types::Answer {
        report_panics();
        P::plugin()
            .cancel(&call.into(), &mut Imports, &input, checkpoint.as_deref())
            .into()
    }
}

/// A panic becomes a line of the log before the trap: there is no standard error.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        wit::log::write(wit::log::Level::Error, &panic.to_string());
    }));
}

impl From<wit::types::Call> for Call {
    fn from(call: wit::types::Call) -> Self {
        let grant = |grant: wit::types::Grant| Grant {
            handle: grant.handle,
            connection: grant.connection,
            address: grant.address,
            reference: grant.reference,
        };
        Self {
            action: call.action,
            asset: call.asset,
            grants: call.grants.into_iter().map(grant).collect(),
            run: call.run,
            lane: call.lane,
            step: call.step,
            attempt: call.attempt,
            idempotency_key: call.idempotency_key,
            now_ms: call.now_ms,
            deadline_ms: call.deadline_ms,
            dry_run: call.dry_run,
            seed: call.seed,
        }
    }
}

impl From<Answer> for wit::types::Answer {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Done { output, evidence } => Self::Done(wit::types::Done {
                output: output.to_string(),
                evidence,
            }),
            Answer::Pending {
                checkpoint,
                resume_after_ms,
            } => Self::Pending(wit::types::Pending {
                checkpoint: checkpoint.to_string(),
                resume_after_ms,
            }),
            Answer::Retry { reason, after_ms } => {
                Self::Retry(wit::types::Retry { reason, after_ms })
            }
            Answer::NeedsHuman { title, form } => Self::NeedsHuman(wit::types::Question {
                title,
                form: form.to_string(),
            }),
            Answer::Reject { reason, output } => Self::Reject(wit::types::Rejection {
                reason,
                output: output.to_string(),
            }),
        }
    }
}

impl From<wit::types::Failure> for Failure {
    fn from(failure: wit::types::Failure) -> Self {
        use wit::types::FailureKind as Kind;
        let kind = match failure.kind {
            Kind::NotGranted => FailureKind::NotGranted,
            Kind::Refused => FailureKind::Refused,
            Kind::Unreachable => FailureKind::Unreachable,
            Kind::Timeout => FailureKind::Timeout,
            Kind::TooLarge => FailureKind::TooLarge,
            Kind::Broken => FailureKind::Broken,
            Kind::Unauthenticated => FailureKind::Unauthenticated,
            Kind::Cut => FailureKind::Cut,
        };
        Self {
            kind,
            detail: failure.detail,
            maybe_sent: failure.maybe_sent,
        }
    }
}

/// The world's imports.
struct Imports;

impl Host for Imports {
    fn send(&mut self, connection: &str, request: &HttpRequest) -> Result<HttpResponse, Failure> {
        let request = wit::http::Request {
            method: request.method.clone(),
            path: request.path.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            timeout_ms: request.timeout_ms,
            reads_only: request.reads_only,
        };
        let response = wit::http::send(connection, &request)?;
        Ok(HttpResponse {
            status: response.status,
            headers: response.headers,
            body: response.body,
        })
    }

    fn exec(
        &mut self,
        connection: &str,
        script: &str,
        arguments: &Value,
        timeout_ms: Option<u32>,
    ) -> Result<ExecOutcome, Failure> {
        let outcome = wit::exec::run(connection, script, &arguments.to_string(), timeout_ms)?;
        Ok(ExecOutcome {
            exit_code: outcome.exit_code,
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            truncated: outcome.truncated,
        })
    }

    fn probe(&mut self, connection: &str, kind: ProbeKind) -> Result<ProbeOutcome, Failure> {
        let kind = match kind {
            ProbeKind::Tcp => wit::probe::Kind::Tcp,
            ProbeKind::Tls => wit::probe::Kind::Tls,
            ProbeKind::Http => wit::probe::Kind::Http,
            ProbeKind::Banner => wit::probe::Kind::Banner,
        };
        let outcome = wit::probe::check(connection, kind)?;
        Ok(ProbeOutcome {
            up: outcome.up,
            detail: outcome.detail,
        })
    }

    fn blob_put(&mut self, bytes: &[u8]) -> Result<String, Failure> {
        Ok(wit::blob::put(bytes)?)
    }

    fn blob_get(&mut self, digest: &str) -> Result<Vec<u8>, Failure> {
        Ok(wit::blob::get(digest)?)
    }

    fn secret_generate(&mut self, purpose: &str) -> Result<String, Failure> {
        Ok(wit::secret::generate(purpose)?)
    }

    fn secret_derive(&mut self, placeholder: &str, label: &str) -> Result<String, Failure> {
        Ok(wit::secret::derive(placeholder, label)?)
    }

    fn journal(&mut self) -> Vec<JournalEntry> {
        let entry = |entry: wit::journal::Entry| JournalEntry {
            number: entry.number,
            attempt: entry.attempt,
            what: entry.what,
            outcome: entry.outcome,
        };
        wit::journal::prior().into_iter().map(entry).collect()
    }

    fn log(&mut self, level: Level, line: &str) {
        let level = match level {
            Level::Debug => wit::log::Level::Debug,
            Level::Info => wit::log::Level::Info,
            Level::Warn => wit::log::Level::Warn,
            Level::Error => wit::log::Level::Error,
        };
        wit::log::write(level, line);
    }

    fn progress(&mut self, percent: u8, note: &str) {
        wit::log::progress(percent, note);
    }
}
