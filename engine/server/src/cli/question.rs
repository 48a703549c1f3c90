//! Which question is meant: by the beginning of its id or of its run's id.

use crate::client::Client;
use crate::failure::Failure;
use hostler_api::services::waiting::WaitingView;
use hostler_api::{Code, Problem};
use hostler_core::lane::PersonKind;
use hostler_core::view::WaitingRow;

/// Open questions of some kinds; `mine` only those that the person may settle.
pub async fn list(
    client: &Client,
    mine: bool,
    wanted: fn(PersonKind) -> bool,
) -> Result<Vec<WaitingRow>, Failure> {
    let rows: Vec<WaitingRow> = client.get(&format!("/api/v1/waiting?mine={mine}")).await?;
    Ok(rows.into_iter().filter(|row| wanted(row.kind)).collect())
}

/// The one open question whose id, or whose run's id, begins so.
pub async fn find(
    client: &Client,
    text: &str,
    wanted: fn(PersonKind) -> bool,
) -> Result<WaitingRow, Failure> {
    let rows = list(client, false, wanted).await?;
    let begins = |id: String| id.starts_with(text);
    let mut found: Vec<WaitingRow> = rows
        .into_iter()
        .filter(|row| begins(row.lane.to_string()) || begins(row.run.to_string()))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(row), true) => Ok(row),
        (Some(last), false) => {
            let ids: Vec<String> = found
                .iter()
                .chain([&last])
                .map(|row| row.lane.to_string())
                .collect();
            Err(Failure::Usage(format!(
                "several questions begin with {text}:\n  {}",
                ids.join("\n  ")
            )))
        }
        (None, _) => Err(Problem::new(
            Code::NotFound,
            format!("no open question begins with {text}"),
        )
        .remedy("see `hostler approve list` and `hostler ask list`")
        .into()),
    }
}

/// A question with what is displayed.
pub async fn show(client: &Client, row: &WaitingRow) -> Result<WaitingView, Failure> {
    client.get(&format!("/api/v1/waiting/{}", row.lane)).await
}
