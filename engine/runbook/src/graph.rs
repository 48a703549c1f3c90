//! A definition as a picture: a tree of lines for a terminal, DOT for a renderer.

use hostler_core::definition::{
    AskRules, Definition, Each, OnFailure, Over, Ramp, Spawn, Step, Verb, WaitUntil, Wave,
    WaveTerms,
};
use hostler_core::duration::write_ms;
use hostler_core::expression::Dynamic;
use std::fmt::Write as _;

/// The steps as an indented tree, one line each.
#[must_use]
pub fn tree(definition: &Definition) -> String {
    let mut out = format!(
        "{} v{} · {}\n",
        definition.runbook, definition.version, definition.title
    );
    program(definition, 0, 0, &mut out);
    out
}

fn program(definition: &Definition, index: u16, depth: usize, out: &mut String) {
    let Some(program) = definition.program(index) else {
        return;
    };
    for step in &program.steps {
        line(definition, step, depth, "", out);
    }
    for step in &program.always {
        line(definition, step, depth, "always ", out);
    }
}

fn line(definition: &Definition, step: &Step, depth: usize, prefix: &str, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "{}{prefix}{}: {}",
        "  ".repeat(depth + 1),
        step.id,
        about(step)
    );
    for way in &step.undo {
        let _ = writeln!(out, "{}undo {}", "  ".repeat(depth + 3), about(way));
    }
    if let Some(body) = body(step) {
        program(definition, body, depth + 1, out);
    }
}

fn body(step: &Step) -> Option<u16> {
    match &step.verb {
        Verb::Spawn(Spawn::Each(each)) => Some(each.body),
        Verb::Spawn(Spawn::Repeat(repeat)) => Some(repeat.body),
        _ => None,
    }
}

fn about(step: &Step) -> String {
    let mut text = verb(&step.verb);
    if let Some(condition) = &step.condition {
        let _ = write!(text, " if {}", condition.0);
    }
    if step.retry.times > 0 {
        let _ = write!(text, " · {} more tries", step.retry.times);
    }
    if step.on_failure != OnFailure::Stop {
        let _ = write!(
            text,
            " · on failure {}",
            format!("{:?}", step.on_failure).to_lowercase()
        );
    }
    if let Some(lease) = &step.lease {
        let _ = write!(
            text,
            " · ends after {} by {}",
            write_ms(lease.for_ms),
            lease.end.action.action
        );
        if let Some(warn_ms) = lease.warn_ms {
            let _ = write!(text, " · warns {} before", write_ms(warn_ms));
        }
        if !lease.blocks.is_empty() {
            let _ = write!(text, " · blocks {} until then", lease.blocks.join(", "));
        }
    }
    if step.no_return {
        text.push_str(" · no return");
    }
    text
}

fn verb(verb: &Verb) -> String {
    match verb {
        Verb::Do(action) => format!(
            "do {}{}",
            action.action,
            if action.impact == hostler_core::contract::Impact::Outage {
                "!"
            } else {
                ""
            }
        ),
        Verb::Approve(approve) => format!(
            "approve by {} of {}{}",
            approve.quorum,
            who(&approve.who),
            up(&approve.rules)
        ),
        Verb::Ask(ask) => format!(
            "ask {}{}{}",
            who(&ask.who),
            up(&ask.rules),
            if ask.later { ", without waiting" } else { "" }
        ),
        Verb::Notify(notify) => format!("notify {}", notify.template),
        Verb::Wait(wait) => match &wait.until {
            WaitUntil::For(value) => format!("wait for {}", literal(value, true)),
            WaitUntil::Opened(ms) => format!("wait until {} after its beginning", write_ms(*ms)),
            WaitUntil::Instant(value) => format!("wait until {}", literal(value, false)),
        },
        Verb::Spawn(Spawn::Each(each)) => fan(each),
        Verb::Spawn(Spawn::Repeat(repeat)) => match (repeat.at_most, repeat.for_ms) {
            (Some(rounds), _) => format!("repeat at most {rounds} times"),
            (None, Some(ms)) => format!("repeat for {}", write_ms(ms)),
            (None, None) => "repeat".to_owned(),
        },
        Verb::Spawn(Spawn::Call(call)) => format!("call {}", call.runbook),
        Verb::Release { lease } => format!("release {lease}"),
        Verb::Finish(finish) => format!(
            "finish {}{}",
            finish.result,
            if finish.of_run { " the run" } else { "" }
        ),
    }
}

fn up(rules: &AskRules) -> String {
    let ladder = rules.ladder.as_ref();
    ladder.map_or_else(String::new, |ladder| format!(", up the ladder {ladder}"))
}

fn fan(each: &Each) -> String {
    let over = match &each.over {
        Over::List(value) => literal(value, false),
        Over::Times(value) => format!("{} times", literal(value, false)),
    };
    let at_once = match &each.at_once.ramp {
        Ramp::Fixed(number) => number.to_string(),
        Ramp::Percent(percent) => format!("{percent}%"),
        Ramp::Stages(stages) => stages
            .iter()
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join("-"),
    };
    let waves: Vec<String> = each.waves.iter().map(wave).collect();
    let waves = if waves.is_empty() {
        String::new()
    } else {
        format!(", waves {}", waves.join(" → "))
    };
    format!("each {} in {over}, {at_once} at once{waves}", each.binds)
}

/// `canary (opens inputs.canaries, soaks inputs.soak)`.
fn wave(wave: &Wave) -> String {
    let terms = WaveTerms::written(wave);
    if terms == WaveTerms::default() {
        return wave.name.clone();
    }
    format!("{} ({terms})", wave.name)
}

fn who(who: &hostler_core::definition::Who) -> String {
    who.clauses
        .iter()
        .map(|clause| literal(&clause.who, false))
        .collect::<Vec<_>>()
        .join(", ")
}

fn literal(value: &Dynamic, duration: bool) -> String {
    match value {
        Dynamic::Expression(expression) => expression.0.clone(),
        Dynamic::Literal(value) => match (value.as_u64(), value.as_str()) {
            (Some(ms), _) if duration => write_ms(ms),
            (_, Some(text)) => text.to_owned(),
            _ => value.to_string(),
        },
        Dynamic::List(_) | Dynamic::Map(_) => "a list".to_owned(),
    }
}

/// DOT: one node a step, one box a body.
#[must_use]
pub fn dot(definition: &Definition) -> String {
    let mut out = format!(
        "digraph {} {{\n  rankdir=TB; node [shape=box, fontname=sans];\n",
        quoted(&definition.runbook)
    );
    cluster(definition, 0, &mut out);
    out.push_str("}\n");
    out
}

fn cluster(definition: &Definition, index: u16, out: &mut String) {
    let Some(program) = definition.program(index) else {
        return;
    };
    let mut before: Option<String> = None;
    for (number, step) in program.steps.iter().chain(&program.always).enumerate() {
        let id = format!("p{index}s{number}");
        let style = if number >= program.steps.len() {
            ", style=dashed"
        } else {
            ""
        };
        let _ = writeln!(
            out,
            "  {id} [label={}{style}];",
            quoted(&format!("{}\n{}", step.id, verb(&step.verb)))
        );
        if let Some(before) = &before {
            let _ = writeln!(out, "  {before} -> {id};");
        }
        if let Some(body) = body(step) {
            let _ = writeln!(
                out,
                "  subgraph cluster_{body} {{ label={};",
                quoted(&step.id)
            );
            cluster(definition, body, out);
            let _ = writeln!(out, "  }}\n  {id} -> p{body}s0 [style=dotted];");
        }
        before = Some(id);
    }
}

fn quoted(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}
