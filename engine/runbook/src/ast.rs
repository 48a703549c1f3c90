//! A runbook as it was written: every part that a check may point at knows its place.

use crate::expr;
use crate::source::Span;
use hostler_core::contract::Effect;
use hostler_core::debt::Cure;
use hostler_core::definition::{
    After, AtOnce, Collect, InputKind, NoticePlan, OnDeny, OnExhausted, OnExpire, OnFailure,
    Overflow, Policy, Retry, Silence, StopAt, WaveLimit,
};
use hostler_core::directory::List;
use hostler_core::expression::{Dynamic, Expression};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    pub value: String,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Expr {
    pub text: String,
    /// Of the text inside `${{ … }}`, or of the whole scalar where quotes hide it.
    pub span: Span,
    /// Offsets inside the text are offsets from the span's start.
    pub exact: bool,
    pub tree: expr::Node,
}

impl Expr {
    /// The place of a node of the tree.
    pub fn place(&self, at: usize) -> Span {
        if self.exact {
            Span::new((self.span.start + at).min(self.span.end), self.span.end)
        } else {
            self.span
        }
    }

    pub fn core(&self) -> Expression {
        Expression(self.text.clone())
    }
}

/// A value in which parts are expressions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dyn {
    Expr(Expr),
    Value(Value, Span),
    List(Vec<Dyn>, Span),
    Map(Vec<(Text, Dyn)>, Span),
    /// It was reported already.
    Broken(Span),
}

impl Dyn {
    pub fn span(&self) -> Span {
        match self {
            Self::Expr(expr) => expr.span,
            Self::Value(_, span)
            | Self::List(_, span)
            | Self::Map(_, span)
            | Self::Broken(span) => *span,
        }
    }

    pub fn core(&self) -> Dynamic {
        match self {
            Self::Expr(expr) => Dynamic::Expression(expr.core()),
            Self::Value(value, _) => Dynamic::Literal(value.clone()),
            Self::Broken(_) => Dynamic::null(),
            Self::List(items, _) => Dynamic::List(items.iter().map(Self::core).collect()),
            Self::Map(entries, _) => Dynamic::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.value.clone(), value.core()))
                    .collect(),
            ),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Dyn> {
        match self {
            Self::Map(entries, _) => entries
                .iter()
                .find(|(key, _)| key.value == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Runbook {
    pub name: Text,
    pub version: (u32, Span),
    pub title: String,
    pub owner: Text,
    /// None where the field is missing.
    pub needs: Option<Vec<(Text, u32)>>,
    pub inputs: Vec<InputDecl>,
    pub outputs: Vec<(Text, Dyn)>,
    pub policy: Policy,
    pub body: Body,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) struct InputDecl {
    pub name: Text,
    pub kind: InputKind,
    pub label: Option<String>,
    pub required: bool,
    pub default: Option<(Value, Span)>,
    pub schema: Value,
    /// The list from which it is chosen.
    pub from: Option<(List, Span)>,
    pub must: Option<Expr>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Body {
    pub steps: Vec<Step>,
    pub always: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub id: Text,
    pub name: Option<String>,
    pub condition: Option<Expr>,
    pub verb: Verb,
    pub timeout: Option<(u64, Span)>,
    pub effect: Option<(Effect, Span)>,
    pub retry: Option<(Retry, Span)>,
    pub on_failure: Option<(OnFailure, Span)>,
    pub undo: Vec<Step>,
    pub lease: Option<Lease>,
    pub no_return: bool,
    pub notices: Option<(NoticePlan, Span)>,
    pub duty: Option<String>,
    pub class: Option<Dyn>,
    pub window: Option<Dyn>,
}

#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub for_ms: u64,
    pub end: Text,
    pub warn_ms: Option<u64>,
    /// Each action once.
    pub blocks: Vec<Text>,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Do {
        action: Text,
        with: Option<Dyn>,
    },
    Approve(Approve),
    Ask(Ask),
    Notify {
        template: Text,
        to: Vec<Dyn>,
        about: Option<Dyn>,
    },
    Wait {
        until: Until,
    },
    Each(Box<Each>),
    Repeat(Box<Repeat>),
    Call {
        runbook: Text,
        with: Option<Dyn>,
        wait: bool,
    },
    Release {
        lease: Text,
    },
    Finish {
        result: Text,
        of_run: bool,
        note: Option<Dyn>,
    },
}

impl Verb {
    pub fn body(&self) -> Option<&Body> {
        match self {
            Self::Each(each) => Some(&each.body),
            Self::Repeat(repeat) => Some(&repeat.body),
            _ => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Until {
    For(Dyn),
    Instant(Dyn),
}

#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub who: Dyn,
    pub at_least: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Approve {
    pub who: Vec<Clause>,
    pub quorum: (u32, Span),
    pub title: Option<Dyn>,
    pub show: Vec<Expr>,
    pub say: Option<String>,
    pub condition: Option<Expr>,
    pub expires_ms: Option<u64>,
    pub rules: Rules,
    pub on_expire: (OnExpire, Span),
    pub on_deny: (OnDeny, Span),
    /// False where `expires` is there but was refused.
    pub endless: bool,
    pub span: Span,
}

/// What `approve` and `ask` may say beyond whom they ask and what.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub expires_business_days: Option<u16>,
    pub ladder: Option<Text>,
    pub typed: Option<Dyn>,
    pub terms: Vec<Text>,
    pub remind: Vec<After>,
    pub may_waive: Vec<Text>,
    pub finish: Option<Silence>,
}

/// `debt: true`, with what it holds and what settles it.
#[derive(Clone, Debug)]
pub(crate) struct Debt {
    pub blocks: Vec<&'static str>,
    pub cured_by: Vec<Cure>,
    pub over: Option<Dyn>,
}

#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub who: Vec<Clause>,
    pub title: Option<Dyn>,
    pub form: Value,
    pub show: Vec<Expr>,
    pub expires_ms: Option<u64>,
    pub rules: Rules,
    pub on_expire: (OnExpire, Span),
    pub later: bool,
    pub debt: Option<Debt>,
    pub endless: bool,
    pub span: Span,
    /// `from:` and `default:` of the form's fields.
    pub form_exprs: Vec<Expr>,
    /// `must:` of the form's fields, by field.
    pub form_musts: Vec<(String, Expr)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Over {
    List(Dyn),
    Times(Dyn),
}

#[derive(Clone, Debug)]
pub(crate) struct Each {
    pub over: Over,
    pub binds: Text,
    pub key: Option<Expr>,
    pub body: Body,
    pub at_once: AtOnce,
    pub take: Option<u32>,
    pub on_failure: Option<(OnFailure, Span)>,
    pub collect: Option<(Collect, Vec<Text>, Option<Expr>)>,
    pub waves: Vec<Wave>,
    pub stop_at: Option<(StopAt, Span)>,
    pub gate: Option<Approve>,
    pub window: Option<Dyn>,
    pub lead: Option<(u64, Span)>,
    pub overflow: Option<(Overflow, Span)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Wave {
    pub name: Text,
    pub matches: Option<Text>,
    pub take: Option<WaveLimit>,
    pub soak: Option<Dyn>,
    pub opens: Option<Opens>,
}

/// `opens` of a wave.
#[derive(Clone, Debug)]
pub(crate) enum Opens {
    AnchorDays(u16, Span),
    At(Dyn),
}

#[derive(Clone, Debug)]
pub(crate) struct Repeat {
    pub body: Body,
    pub at_most: Option<u32>,
    pub for_ms: Option<u64>,
    pub every_ms: u64,
    pub until: Option<Expr>,
    pub on_exhausted: OnExhausted,
}
