//! Opens connections to the primary, directly or as the Sentinels say.
//!
//! Not here: keeping them.

use crate::OpenError;
use crate::form::Form;
use crate::functions::{Functions, LIBRARY};
use crate::options::{Endpoint, Options};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use redis::{ErrorKind, RedisError, RedisResult, cmd};
use std::collections::HashMap;
use std::time::Duration;

/// Calls that may wait inside one connection; more wait outside.
const PIPELINE_MAX: usize = 4_096;

/// What a connection is for decides how long it waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Calls,
    /// Blocks for at most this long by itself.
    Blocking {
        ms: u64,
    },
}

/// Checks addresses without connecting.
pub fn check_addresses(options: &Options) -> Result<(), OpenError> {
    let addresses = match &options.endpoint {
        Endpoint::Server(address) => vec![address],
        Endpoint::Sentinel {
            sentinels,
            template,
            ..
        } => sentinels.iter().chain(std::iter::once(template)).collect(),
    };
    for address in addresses {
        if address.as_str().into_connection_info().is_err() {
            // The address may hold a password: it is not repeated.
            return Err(OpenError::Address(
                "an address of Redis cannot be read: write redis://[user:password@]host:port/"
                    .into(),
            ));
        }
    }
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if options.realm.is_empty() || !options.realm.chars().all(letters) {
        return Err(OpenError::Address(
            "a realm's name has letters, digits, - and _ only".into(),
        ));
    }
    Ok(())
}

/// Name of the realm's meta key.
pub fn meta_key(options: &Options, form: Form) -> String {
    format!("h:{{{}}}{}meta", options.realm, form.mark())
}

/// The form of the realm: the long one if the first version made it, the short one if it is yet to be made.
pub async fn form_of(options: &Options) -> RedisResult<Form> {
    let mut connection = connect(options, Purpose::Calls).await?;
    let mut exists = cmd("EXISTS");
    exists.arg(meta_key(options, Form::Long));
    let is_long: bool = exists.query_async(&mut connection).await?;
    Ok(if is_long { Form::Long } else { Form::Short })
}

/// A new connection to whoever is primary now.
pub async fn connect(options: &Options, purpose: Purpose) -> RedisResult<MultiplexedConnection> {
    match &options.endpoint {
        Endpoint::Server(address) => {
            to(options, address.as_str().into_connection_info()?, purpose).await
        }
        Endpoint::Sentinel {
            sentinels,
            name,
            template,
        } => {
            let info = template.as_str().into_connection_info()?;
            let (host, port) = ask_sentinels(options, sentinels, name).await?;
            let mut primary = to(
                options,
                info.set_addr(ConnectionAddr::Tcp(host, port)),
                purpose,
            )
            .await?;
            let role: Vec<redis::Value> = cmd("ROLE").query_async(&mut primary).await?;
            match role.first() {
                Some(redis::Value::BulkString(role)) if role == b"master" => Ok(primary),
                _ => Err(failed("the Sentinels name a server that is no primary")),
            }
        }
    }
}

fn failed(what: &'static str) -> RedisError {
    RedisError::from((ErrorKind::Io, what))
}

async fn ask_sentinels(
    options: &Options,
    sentinels: &[String],
    name: &str,
) -> RedisResult<(String, u16)> {
    for sentinel in sentinels {
        let info = sentinel.as_str().into_connection_info()?;
        let Ok(mut connection) = to(options, info, Purpose::Calls).await else {
            continue;
        };
        let mut ask = cmd("SENTINEL");
        ask.arg("get-master-addr-by-name").arg(name);
        if let Ok(Some(address)) = ask
            .query_async::<Option<(String, u16)>>(&mut connection)
            .await
        {
            return Ok(address);
        }
    }
    Err(failed("no Sentinel knows the primary"))
}

async fn to(
    options: &Options,
    info: ConnectionInfo,
    purpose: Purpose,
) -> RedisResult<MultiplexedConnection> {
    let answer_ms = match purpose {
        Purpose::Calls => options.answer_ms,
        Purpose::Blocking { ms } => options.answer_ms + ms,
    };
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(Duration::from_millis(options.connect_ms)))
        .set_response_timeout(Some(Duration::from_millis(answer_ms)))
        .set_pipeline_buffer_size(PIPELINE_MAX);
    Client::open(info)?
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Fields of `INFO section`.
pub async fn info(
    connection: &mut MultiplexedConnection,
    section: &str,
) -> RedisResult<HashMap<String, String>> {
    let text: String = cmd("INFO").arg(section).query_async(connection).await?;
    let fields = text.lines().filter_map(|line| line.split_once(':'));
    Ok(fields
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect())
}

/// Loads the library unless the very same text is there already. Over the memory limit loading is
/// refused, so what is loaded is left alone.
pub async fn load_functions(
    connection: &mut MultiplexedConnection,
    functions: &Functions,
) -> RedisResult<()> {
    let mut list = cmd("FUNCTION");
    list.arg("LIST")
        .arg("LIBRARYNAME")
        .arg(LIBRARY)
        .arg("WITHCODE");
    let loaded: redis::Value = list.query_async(connection).await?;
    if contains(&loaded, functions.text().as_bytes()) {
        return Ok(());
    }
    let mut load = cmd("FUNCTION");
    load.arg("LOAD").arg("REPLACE").arg(functions.text());
    load.query_async(connection).await
}

fn contains(value: &redis::Value, text: &[u8]) -> bool {
    match value {
        redis::Value::BulkString(bytes) => bytes == text,
        redis::Value::Array(values) => values.iter().any(|value| contains(value, text)),
        redis::Value::Map(pairs) => pairs.iter().any(|(_, value)| contains(value, text)),
        _ => false,
    }
}
