//! Steps whose work is done by child lanes: waves over items, and rounds.
//!
//! Not here: what a single step does (see `runbooks`).

use crate::estate::ASSETS;
use crate::runbooks::Author;
use hostler_core::definition::{
    AtOnce, Each, Gate, OnExhausted, OnFailure, Over, Program, Ramp, Repeat, Spawn, Step, StopAt,
    Verb, Wave, WaveLimit,
};
use hostler_core::expression::{Dynamic, Expression};
use serde_json::{Value, json};

fn body(author: &mut Author<'_>, binds: Option<String>, in_round: bool) -> Program {
    let count = 1 + author.chance.below(author.steps_max.min(3));
    let mut steps: Vec<Step> = (0..count)
        .map(|_| match author.chance.below(10) {
            0 => author.waiting(),
            1 => author.finish(),
            _ => author.act(),
        })
        .collect();
    if in_round && author.chance.percent(40) {
        steps[0].on_failure = OnFailure::Again;
    }
    let always = (0..author.chance.below(2)).map(|_| author.act()).collect();
    Program {
        steps,
        always,
        binds,
    }
}

/// A step over one to six items, of which some are assets with their locks.
pub fn waves(author: &mut Author<'_>, id: &str) -> Step {
    let over_assets = author.chance.percent(50);
    let items: Vec<Value> = if over_assets {
        let count = 1 + author.chance.at(ASSETS.len());
        ASSETS[..count].iter().map(|asset| json!(asset)).collect()
    } else {
        let count = 1 + author.chance.below(6);
        (0..count)
            .map(|number| json!(format!("i{number}")))
            .collect()
    };
    let was_on_asset = std::mem::replace(&mut author.on_asset, over_assets);
    let program = body(author, Some("item".to_owned()), false);
    author.on_asset = was_on_asset;
    let body = author.add(program);
    let each = Each {
        over: Over::List(Dynamic::Literal(Value::Array(items))),
        binds: "item".to_owned(),
        key: None,
        body,
        at_once: AtOnce {
            ramp: match author.chance.below(3) {
                0 => Ramp::Fixed(1 + u32::try_from(author.chance.below(3)).unwrap_or(0)),
                1 => Ramp::Percent(50),
                _ => Ramp::Stages(vec![1, 3]),
            },
            per: Vec::new(),
        },
        take: None,
        on_failure: author
            .chance
            .pick(&[OnFailure::Stop, OnFailure::Continue, OnFailure::Ask]),
        collect: None,
        waves: in_waves(author),
        stop_at: stop_at(author),
        gate: author.chance.percent(35).then(|| Gate {
            approve: author.approve(),
        }),
        lead_ms: None,
        overflow: None,
    };
    let step = Step::bare(id, Verb::Spawn(Spawn::Each(Box::new(each))));
    author.around(step)
}

fn in_waves(author: &mut Author<'_>) -> Vec<Wave> {
    if author.chance.percent(50) {
        return Vec::new();
    }
    let soak = author
        .chance
        .percent(40)
        .then(|| Dynamic::Literal(json!(5_000)));
    let wave = |name: &str, take, soak| Wave {
        name: name.to_owned(),
        matches: None,
        take,
        soak,
        opens: None,
    };
    vec![
        wave("canary", Some(WaveLimit::Count(1)), soak),
        wave("rest", None, None),
    ]
}

fn stop_at(author: &mut Author<'_>) -> Option<StopAt> {
    author.chance.percent(40).then(|| StopAt {
        count: Some(1 + u32::try_from(author.chance.below(2)).unwrap_or(0)),
        ..StopAt::default()
    })
}

/// A few rounds, with something to take back when what follows fails.
pub fn rounds(author: &mut Author<'_>, id: &str) -> Step {
    let program = body(author, None, true);
    let body = author.add(program);
    let until = author.chance.pick(&["", "true", "false"]);
    let repeat = Repeat {
        body,
        at_most: Some(1 + u32::try_from(author.chance.below(3)).unwrap_or(0)),
        for_ms: None,
        every_ms: 3_000,
        until: (!until.is_empty()).then(|| Expression(until.to_owned())),
        on_exhausted: author.chance.pick(&[OnExhausted::Stop, OnExhausted::Ask]),
    };
    let step = Step::bare(id, Verb::Spawn(Spawn::Repeat(repeat)));
    author.around(step)
}
