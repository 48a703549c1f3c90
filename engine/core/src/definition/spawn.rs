//! `each`, `repeat` and `call`: steps whose work is done by child lanes.

use super::{Approve, OnFailure, ProgramIndex};
use crate::duration;
use crate::expression::{Dynamic, Expression};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spawn {
    Each(Box<Each>),
    Repeat(Repeat),
    Call(Call),
}

/// Child lanes over a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Each {
    pub over: Over,
    pub binds: String,
    /// Key of an item, with the item bound; none for assets (their id) and times (the number).
    pub key: Option<Expression>,
    pub body: ProgramIndex,
    pub at_once: AtOnce,
    /// Only so many items.
    pub take: Option<u32>,
    pub on_failure: EachFailure,
    pub collect: Option<Collect>,
    /// Empty: all items in one wave without a name.
    pub waves: Vec<Wave>,
    pub stop_at: Option<StopAt>,
    /// Asked after every wave.
    pub gate: Option<Gate>,
    /// What an item only looks at before its first change begins so long before its slot; none: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_ms: Option<u64>,
    /// None: an item that misses its window waits for the next one, without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overflow: Option<Overflow>,
}

/// What becomes of an item whose window passes without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overflow {
    /// It waits for so many further windows.
    pub at_most: u32,
    #[serde(default, skip_serializing_if = "UsedUp::is_held")]
    pub then: UsedUp,
}

/// What becomes of an item that has used up its further windows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UsedUp {
    /// It ends as held.
    #[default]
    Held,
    /// People say whether it waits for one more.
    Ask,
}

impl UsedUp {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
    fn is_held(&self) -> bool {
        *self == Self::Held
    }
}

/// What a failed child means for the others: stop admits no more, continue goes on, ask asks when
/// all live ones have ended.
pub type EachFailure = OnFailure;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// A list; strings that name assets become assets.
    List(Dynamic),
    /// 0, 1, … n-1.
    Times(Dynamic),
}

/// How many children may live at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtOnce {
    pub ramp: Ramp,
    pub per: Vec<PerGroup>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ramp {
    Fixed(u32),
    /// Of the items of the wave, at least one.
    Percent(u32),
    /// The next number is reached when as many children as the present one have succeeded in a row.
    Stages(Vec<u32>),
}

/// At most `limit` live children whose assets share the value of `attribute`
/// (`redundancy_group`, `hypervisor`, `customer`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerGroup {
    pub attribute: String,
    pub limit: u32,
}

/// What each child hands back: names to paths into its steps (`look.set`), or an expression that
/// gives a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collect {
    Paths(Vec<String>),
    Expression(Expression),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wave {
    pub name: String,
    /// A selector; none takes what is left.
    pub matches: Option<String>,
    /// Of those that match and are left.
    pub take: Option<WaveLimit>,
    /// How long to wait after the last one before the gate and the next wave.
    pub soak: Option<Dynamic>,
    /// Its first item is not admitted before then; none: as soon as the wave before is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens: Option<Opens>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opens {
    /// Midnight in the realm's zone, so many days after the day on which the run was started.
    AnchorDays(u16),
    /// Gives an instant, or such a number of days as a duration: `9d`.
    At(Dynamic),
}

const DAY_MS: u64 = 86_400_000;
/// Latest day of a cycle on which a wave opens: a quarter, and a week for its windows.
pub const OPENS_MAX_DAYS: u16 = 98;

impl Opens {
    /// `9d` → 9. None: no whole days, or more than [`OPENS_MAX_DAYS`].
    #[must_use]
    pub fn days(text: &str) -> Option<u16> {
        let ms = duration::parse_ms(text).filter(|ms| ms % DAY_MS == 0)?;
        let days = u16::try_from(ms / DAY_MS).ok()?;
        (days <= OPENS_MAX_DAYS).then_some(days)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveLimit {
    Count(u32),
    Percent(u32),
}

/// When to admit no more, counted in order of completion.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopAt {
    pub count: Option<u32>,
    pub percent: Option<u32>,
    /// The percentage counts only when so many have ended.
    pub after: u32,
    pub consecutive: Option<u32>,
    /// Failures within one value of an attribute.
    pub per: Vec<PerGroup>,
    /// Failures within one wave.
    pub waves: Vec<(String, u32)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    pub approve: Approve,
}

/// Rounds, one after the other, each a child lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeat {
    pub body: ProgramIndex,
    /// At least one of the two bounds is set.
    pub at_most: Option<u32>,
    pub for_ms: Option<u64>,
    pub every_ms: u64,
    /// Evaluated in the round's scope after it; true ends the rounds.
    pub until: Option<Expression>,
    pub on_exhausted: OnExhausted,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExhausted {
    #[default]
    Stop,
    Ask,
}

/// Another runbook as a child.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub runbook: String,
    pub with: Dynamic,
    /// False: the step is done as soon as the child is accepted.
    pub wait: bool,
}
