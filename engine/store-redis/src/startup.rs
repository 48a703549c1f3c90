//! Whether the server is fit to hold runs, told as findings with remedies. `doctor` shows them all;
//! opening refuses on those that lose work.
//!
//! Not here: changing any setting of the server.

use crate::OpenError;
use crate::connect::{self, Purpose, info};
use crate::link::unavailable;
use crate::options::{Durability, Options};
use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use std::collections::HashMap;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Works, with the named danger.
    Warn,
    /// Would lose accepted work: opening refuses.
    Refuse,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartupFinding {
    /// Stable name, for documents and tests.
    pub code: &'static str,
    pub severity: Severity,
    pub text: String,
    pub remedy: &'static str,
}

/// What was read from the server; none where it was not allowed.
struct Facts {
    version: String,
    policy: Option<String>,
    aof: bool,
    fsync: Option<String>,
    replicas: u32,
    min_replicas: Option<String>,
    has_user: bool,
}

/// Reads the server's settings and judges them.
///
/// # Errors
/// The address is not readable, or the server does not answer.
pub async fn check(options: &Options) -> Result<Vec<StartupFinding>, OpenError> {
    connect::check_addresses(options)?;
    let facts = async {
        let mut connection = connect::connect(options, Purpose::Calls).await?;
        read(&mut connection).await
    };
    let facts = facts
        .await
        .map_err(|_| unavailable("it does not answer: check address and password"))?;
    Ok(judge(&facts, options))
}

async fn read(connection: &mut MultiplexedConnection) -> RedisResult<Facts> {
    let (server, memory) = (
        info(connection, "server").await?,
        info(connection, "memory").await?,
    );
    let (log, replication) = (
        info(connection, "persistence").await?,
        info(connection, "replication").await?,
    );
    let user: RedisResult<String> = cmd("ACL").arg("WHOAMI").query_async(connection).await;
    Ok(Facts {
        version: server.get("redis_version").cloned().unwrap_or_default(),
        policy: memory.get("maxmemory_policy").cloned(),
        aof: log.get("aof_enabled").is_some_and(|enabled| enabled == "1"),
        fsync: setting(connection, "appendfsync").await,
        replicas: replication
            .get("connected_slaves")
            .and_then(|count| count.parse().ok())
            .unwrap_or(0),
        min_replicas: setting(connection, "min-replicas-to-write").await,
        has_user: user.is_ok_and(|name| name != "default"),
    })
}

/// A setting, if this user may read settings; a hardened one may not.
async fn setting(connection: &mut MultiplexedConnection, name: &str) -> Option<String> {
    let read = cmd("CONFIG")
        .arg("GET")
        .arg(name)
        .query_async::<HashMap<String, String>>(connection)
        .await;
    read.ok()?.remove(name)
}

fn finding(
    code: &'static str,
    severity: Severity,
    text: String,
    remedy: &'static str,
) -> StartupFinding {
    StartupFinding {
        code,
        severity,
        text,
        remedy,
    }
}

fn judge(facts: &Facts, options: &Options) -> Vec<StartupFinding> {
    let mut findings = Vec::new();
    let version = parsed(&facts.version);
    if version < (7, 0) {
        findings.push(finding(
            "redis-version",
            Severity::Refuse,
            format!("Redis {} has no Functions", facts.version),
            "install Redis 7.0 or newer",
        ));
    }
    if facts.policy.as_deref() != Some("noeviction") {
        findings.push(finding(
            "redis-eviction",
            Severity::Refuse,
            format!(
                "maxmemory-policy is {}: runs would be thrown away",
                shown(facts.policy.as_ref())
            ),
            "set maxmemory-policy noeviction",
        ));
    }
    let loss = if options.allow_loss {
        Severity::Warn
    } else {
        Severity::Refuse
    };
    if !facts.aof {
        findings.push(finding(
            "redis-no-log",
            loss,
            "the append-only log is off: a restart loses accepted runs".into(),
            "set appendonly yes",
        ));
    }
    findings.extend(judge_durability(facts, options, version));
    if !facts.has_user {
        findings.push(finding(
            "redis-default-user",
            Severity::Warn,
            "the engine connects as the default user, which may do everything".into(),
            "make a user without CONFIG, DEBUG, RESTORE, FLUSHALL, FLUSHDB, KEYS and SHUTDOWN",
        ));
    }
    findings
}

fn judge_durability(facts: &Facts, options: &Options, version: (u32, u32)) -> Vec<StartupFinding> {
    let mut findings = Vec::new();
    match options.durability {
        Durability::Answer if facts.aof && facts.fsync.as_deref() != Some("always") => {
            findings.push(finding(
                "redis-fsync",
                Severity::Warn,
                format!(
                    "appendfsync is {}: a power cut may lose about 1 s of accepted work",
                    shown(facts.fsync.as_ref())
                ),
                "set appendfsync always, or confirm by replicas or by the synced log",
            ));
        }
        Durability::LocalLog if version < (7, 2) => findings.push(finding(
            "redis-no-waitaof",
            Severity::Refuse,
            format!("Redis {} cannot tell when its log is synced", facts.version),
            "use Redis 7.2 or newer, or set appendfsync always",
        )),
        Durability::Replicas(wanted) => {
            if facts.replicas < wanted {
                findings.push(finding(
                    "redis-replicas",
                    Severity::Warn,
                    format!(
                        "{} of {wanted} replicas are attached: no effect can start",
                        facts.replicas
                    ),
                    "attach the replicas",
                ));
            }
            if facts.min_replicas.as_deref() == Some("0") {
                findings.push(finding(
                    "redis-min-replicas",
                    Severity::Warn,
                    "a primary that is cut off goes on taking writes that will be lost".into(),
                    "set min-replicas-to-write 1 and min-replicas-max-lag 2",
                ));
            }
        }
        Durability::Answer | Durability::LocalLog => {}
    }
    if options.durability == Durability::Answer && facts.replicas > 0 {
        findings.push(finding(
            "redis-unconfirmed-replicas",
            Severity::Warn,
            "replicas are attached but not waited for: a failover may lose accepted work".into(),
            "set the durability to the number of replicas",
        ));
    }
    findings
}

fn shown(setting: Option<&String>) -> &str {
    setting.map_or("not readable by this user", String::as_str)
}

fn parsed(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Findings in one line.
pub fn listed(findings: &[StartupFinding]) -> String {
    let texts: Vec<String> = findings
        .iter()
        .map(|f| format!("{} ({})", f.text, f.remedy))
        .collect();
    texts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Endpoint;

    fn good() -> Facts {
        Facts {
            version: "7.0.15".into(),
            policy: Some("noeviction".into()),
            aof: true,
            fsync: Some("always".into()),
            replicas: 0,
            min_replicas: Some("0".into()),
            has_user: true,
        }
    }

    fn options(durability: Durability) -> Options {
        let options = Options::new(Endpoint::Server("redis://127.0.0.1/".into()), "main");
        Options {
            durability,
            ..options
        }
    }

    fn codes(facts: &Facts, options: &Options) -> Vec<(&'static str, Severity)> {
        judge(facts, options)
            .into_iter()
            .map(|finding| (finding.code, finding.severity))
            .collect()
    }

    #[test]
    fn a_well_kept_server_has_no_findings() {
        assert_eq!(codes(&good(), &options(Durability::Answer)), []);
    }

    #[test]
    fn what_loses_work_is_refused() {
        let answer = options(Durability::Answer);
        let old = Facts {
            version: "6.2.7".into(),
            ..good()
        };
        assert_eq!(codes(&old, &answer), [("redis-version", Severity::Refuse)]);
        for policy in [Some("allkeys-lru".to_owned()), None] {
            let facts = Facts { policy, ..good() };
            assert_eq!(
                codes(&facts, &answer),
                [("redis-eviction", Severity::Refuse)]
            );
        }
        let facts = Facts {
            aof: false,
            ..good()
        };
        assert_eq!(codes(&facts, &answer), [("redis-no-log", Severity::Refuse)]);
        let allowed = Options {
            allow_loss: true,
            ..answer
        };
        assert_eq!(codes(&facts, &allowed), [("redis-no-log", Severity::Warn)]);
        let early = codes(&good(), &options(Durability::LocalLog));
        assert_eq!(early, [("redis-no-waitaof", Severity::Refuse)]);
    }

    #[test]
    fn the_window_of_loss_is_named() {
        let facts = Facts {
            fsync: Some("everysec".into()),
            ..good()
        };
        let findings = judge(&facts, &options(Durability::Answer));
        assert_eq!(findings[0].code, "redis-fsync");
        assert!(findings[0].text.contains("1 s"));
    }

    #[test]
    fn missing_replicas_are_found() {
        let found = codes(&good(), &options(Durability::Replicas(1)));
        assert_eq!(
            found,
            [
                ("redis-replicas", Severity::Warn),
                ("redis-min-replicas", Severity::Warn)
            ]
        );
    }
}
