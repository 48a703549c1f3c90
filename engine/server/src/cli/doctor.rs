//! `hostler doctor`: everything that can be looked at without changing anything.

use super::Context;
use crate::clock::{SystemClock, SystemIds};
use crate::compose::connections::EstateConnections;
use crate::compose::{self, engine, step_up, store};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::Rows;
use hostler_api::catalogue::Runbooks;
use hostler_archive::Keeper;
use hostler_core::definition::CLASSES;
use hostler_core::directory::Directory;
use hostler_ports::clock::Clock;
use hostler_ports::store::Store;
use hostler_ports::store::generation::StoreState;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

#[derive(Clone, Debug, Serialize)]
struct Finding {
    part: &'static str,
    /// `good`, `warn`, `bad`.
    state: &'static str,
    text: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, part: &'static str, text: impl Into<String>) {
        self.0.push(Finding {
            part,
            state: "good",
            text: text.into(),
        });
    }

    fn warn(&mut self, part: &'static str, text: impl Into<String>) {
        self.0.push(Finding {
            part,
            state: "warn",
            text: text.into(),
        });
    }

    fn bad(&mut self, part: &'static str, text: impl Into<String>) {
        self.0.push(Finding {
            part,
            state: "bad",
            text: text.into(),
        });
    }
}

/// Exit code 3 when something is bad.
pub async fn doctor(context: &Context) -> Result<(), Failure> {
    let mut findings = Findings::default();
    let config = context.config()?;
    findings.good("configuration", "all settings are known");
    let directory = estate(&config, &mut findings);
    runbooks(&config, directory.as_deref(), &mut findings);
    if let Some(directory) = &directory {
        secrets(&config, directory, &mut findings);
        plugins(&config, directory, &mut findings).await;
    }
    store(&config, directory.as_deref(), &mut findings).await;
    tokens(&config, &mut findings);
    second_factors(&config, directory.as_deref(), &mut findings);
    let mut rows = Rows::new(&["part", "state", "finding"]);
    for finding in &findings.0 {
        rows.add(vec![
            finding.part.to_owned(),
            finding.state.to_owned(),
            finding.text.clone(),
        ]);
    }
    context.out.list(&rows, &findings.0)?;
    match findings
        .0
        .iter()
        .filter(|finding| finding.state == "bad")
        .count()
    {
        0 => Ok(()),
        bad => Err(Failure::Invalid(format!(
            "{bad} findings must be mended before Hostler can work"
        ))),
    }
}

fn estate(config: &Config, findings: &mut Findings) -> Option<Arc<dyn Directory>> {
    match engine::estate(config) {
        Ok(estate) => {
            let count = estate.select("id=*").map_or(0, |assets| assets.len());
            findings.good(
                "estate",
                format!("{count} assets of {} customers", estate.customers().len()),
            );
            Some(Arc::new(estate))
        }
        Err(fault) => {
            findings.bad("estate", format!("{fault:#}"));
            None
        }
    }
}

fn runbooks(config: &Config, directory: Option<&dyn Directory>, findings: &mut Findings) {
    match engine::runbooks(config, directory) {
        Err(fault) => findings.bad("runbooks", format!("{fault:#}")),
        Ok(library) => {
            for row in library.list() {
                match row.faults.as_slice() {
                    [] => findings.good("runbooks", format!("{}@{}", row.name, row.version)),
                    faults => findings.bad("runbooks", faults.join("\n")),
                }
            }
        }
    }
}

fn secrets(config: &Config, directory: &Arc<dyn Directory>, findings: &mut Findings) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let folder = Path::new(&config.estate.secrets_folder);
    let connections = EstateConnections::new(Arc::clone(directory), folder, clock);
    for connection in directory.connections() {
        match connections.read(&connection.name) {
            Ok(_) => findings.good(
                "connections",
                format!("{}: its secrets are there", connection.name),
            ),
            Err(why) => findings.bad("connections", why),
        }
    }
}

async fn plugins(config: &Config, directory: &Arc<dyn Directory>, findings: &mut Findings) {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    match engine::plugins(config, directory, &clock).await {
        Err(fault) => findings.bad("plugins", format!("{fault:#}")),
        Ok(host) => {
            let installed: Vec<String> = host
                .plugins()
                .values()
                .map(|plugin| plugin.name.clone())
                .collect();
            for plugin in host.plugins().values() {
                findings.good(
                    "plugins",
                    format!(
                        "{} {}: {} actions",
                        plugin.name,
                        plugin.version,
                        plugin.actions.len()
                    ),
                );
            }
            for connection in directory.connections() {
                if !installed.contains(&connection.plugin) {
                    let text = format!(
                        "{} needs the plugin {}, which is not installed",
                        connection.name, connection.plugin
                    );
                    findings.warn("plugins", text);
                }
            }
        }
    }
}

async fn store(config: &Config, directory: Option<&dyn Directory>, findings: &mut Findings) {
    let realm = directory.map_or("main", Directory::realm);
    if config.store.kind == "redis" {
        redis(config, realm, findings).await;
        return;
    }
    let folder = Path::new(&config.store.folder);
    if !folder.exists() {
        findings.warn(
            "store",
            format!(
                "{} is not there yet: it is made at the first start",
                folder.display()
            ),
        );
        return;
    }
    match store::embedded(folder, Arc::new(SystemClock::new()), Arc::new(SystemIds)).await {
        Ok(store) => match engine::store_answers(&*store).await {
            Ok(()) => {
                findings.good("store", format!("{} opens", folder.display()));
                archive(config, &*store, findings).await;
                ledger(config, realm, store, findings).await;
            }
            Err(why) => findings.bad("store", why),
        },
        Err(fault) => findings.warn("store", format!("{fault:#} (a running engine has it open)")),
    }
}

/// More finished runs than this in the store, and housekeeping does not keep up.
const BACKLOG_MAX: usize = 200;

async fn archive(config: &Config, store: &dyn Store, findings: &mut Findings) {
    let after_ms = match compose::archive::settings(&config.archive, "") {
        Ok(settings) => settings.after_ms,
        Err(fault) => return findings.bad("archive", format!("{fault:#}")),
    };
    let backlog = match Keeper::backlog(store, after_ms).await {
        Ok(backlog) => backlog,
        Err(fault) => return findings.bad("archive", fault.to_string()),
    };
    let after = &config.archive.after;
    let text = format!(
        "{} runs ended more than {after} ago and are in the store, {} are archived and being purged",
        backlog.due, backlog.purging
    );
    if config.archive.folder.is_empty() {
        findings.good("archive", format!("off (archive.folder is empty); {text}"));
    } else if backlog.due + backlog.purging > BACKLOG_MAX {
        findings.warn("archive", format!("{text}: raise archive.runs"));
    } else {
        findings.good("archive", text);
    }
}

async fn ledger(config: &Config, realm: &str, store: Arc<dyn Store>, findings: &mut Findings) {
    match compose::ledger::look(&config.ledger, realm, store).await {
        compose::ledger::Look::Good(text) => findings.good("ledger", text),
        compose::ledger::Look::Off(text) => findings.warn("ledger", text),
        compose::ledger::Look::Bad(text) => findings.bad("ledger", text),
    }
}

async fn redis(config: &Config, realm: &str, findings: &mut Findings) {
    use hostler_store_redis::Severity;
    let options = match store::redis_options(&config.store, realm) {
        Ok(options) => options,
        Err(fault) => return findings.bad("store", format!("{fault:#}")),
    };
    match hostler_store_redis::open(options.clone(), Arc::new(SystemIds)).await {
        Ok(store) => {
            if gone_back(&store, findings).await {
                return;
            }
            archive(config, &store, findings).await;
            ledger(config, realm, Arc::new(store), findings).await;
        }
        // The check below names what is wrong.
        Err(fault) => tracing::debug!(%fault, "the store was not opened"),
    }
    match hostler_store_redis::check(&options).await {
        Err(fault) => findings.bad("store", fault.to_string()),
        Ok(found) if found.is_empty() => findings.good("store", "Redis is fit"),
        Ok(found) => {
            for finding in found {
                let text = format!("{}: {}; {}", finding.code, finding.text, finding.remedy);
                match finding.severity {
                    Severity::Refuse => findings.bad("store", text),
                    Severity::Warn => findings.warn("store", text),
                    Severity::Note => findings.good("store", text),
                }
            }
        }
    }
}

/// Whether somebody has to decide first.
async fn gone_back(store: &dyn Store, findings: &mut Findings) -> bool {
    match store.state().await {
        Ok(StoreState {
            regressed: Some(lost),
            ..
        }) => {
            let text = format!(
                "it has gone back from commit {} to {}, and nothing is written until somebody decides: \
                 `hostler store accept-regression --reason TEXT`, or put the lost commits back",
                lost.seen, lost.found
            );
            findings.bad("store", text);
            true
        }
        Ok(state) => {
            let number = state.generation.number;
            findings.good(
                "store",
                format!("generation {number}, commit {}", state.seq),
            );
            false
        }
        Err(fault) => {
            findings.bad("store", fault.to_string());
            true
        }
    }
}

fn tokens(config: &Config, findings: &mut Findings) {
    match std::fs::read_to_string(&config.server.tokens_file) {
        Err(fault) => findings.warn(
            "tokens",
            format!("{}: {fault}: nobody can sign in", config.server.tokens_file),
        ),
        Ok(text) => match hostler_api::tokens::Tokens::parse(&text) {
            Ok(_) => findings.good("tokens", config.server.tokens_file.clone()),
            Err(fault) => findings.bad("tokens", fault.to_string()),
        },
    }
}

/// Whether the secrets are their owner's, and whether somebody has one where approvals want codes.
fn second_factors(config: &Config, directory: Option<&dyn Directory>, findings: &mut Findings) {
    const PART: &str = "step-up";
    let file = &config.server.step_up_file;
    let enrolled = match step_up::read(Path::new(file)) {
        Ok(enrolled) => enrolled.people().count(),
        Err(fault) => return findings.bad(PART, format!("{fault:#}")),
    };
    let wants =
        |class: &&str| directory.is_some_and(|directory| directory.step_up(class).is_some());
    let classes: Vec<&str> = CLASSES.into_iter().filter(wants).collect();
    let text = format!("{file}: {enrolled} people are enrolled");
    match (classes.as_slice(), enrolled) {
        ([], _) => findings.good(PART, format!("{text}, and no class wants codes")),
        (classes, 0) => findings.warn(
            PART,
            format!(
                "{text}, so nobody can approve work of the class {}: hostler token step-up PERSON",
                classes.join(", ")
            ),
        ),
        (classes, _) => findings.good(
            PART,
            format!(
                "{text}; yes needs a code for the class {}",
                classes.join(", ")
            ),
        ),
    }
}
