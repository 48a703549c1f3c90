//! Watching a run: bars and a matrix on a terminal, plain lines elsewhere.

use super::{Context, asked, run::path, show};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Format, print};
use hostler_api::services::follow::News;
use hostler_api::services::runs::RunView;
use hostler_core::id::LaneId;
use hostler_core::result::LaneResult;
use hostler_core::view::LaneRow;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use std::time::Duration;

/// Lines of live lanes on the screen; the others are in the bars.
const LIVE_MAX: usize = 20;
/// How often a stream that ended without news is taken up again before it is given up.
const IDLE_MAX: u32 = 10;

/// Watches until the run ends. The exit code tells how.
pub async fn follow(
    context: &Context,
    client: &Client,
    run: &str,
    timeout_ms: Option<u64>,
) -> Result<(), Failure> {
    let watch = watch(context, client, run);
    let Some(timeout_ms) = timeout_ms else {
        return watch.await;
    };
    match tokio::time::timeout(Duration::from_millis(timeout_ms), watch).await {
        Ok(ended) => ended,
        Err(_) => Err(Failure::StillWaiting(format!(
            "run {run} goes on: it was only watched"
        ))),
    }
}

async fn watch(context: &Context, client: &Client, run: &str) -> Result<(), Failure> {
    let mut view: RunView = client.get(&path(run, "")).await?;
    let mut screen = if context.out.is_live() {
        Screen::live()
    } else {
        Screen::lines(context)
    };
    let mut seen: BTreeMap<LaneId, LaneRow> = BTreeMap::new();
    let mut idle = 0;
    while idle < IDLE_MAX {
        for lane in std::iter::once(&view.root).chain(&view.lanes) {
            screen.show(view.root.lane, &mut seen, lane.clone());
        }
        screen.questions(&view);
        if view.run.ended_ms.is_some() {
            break;
        }
        let (root, after) = (view.root.lane, view.seq);
        let stream = path(run, &format!("/follow?format=ndjson&after={after}"));
        let told = client.lines(&stream, |news: News| match news {
            // A new question is read with its words: the run's view has them.
            News::Lane { row, .. } => {
                let asks = is_new_question(seen.get(&row.lane), &row);
                screen.show(root, &mut seen, *row);
                !asks
            }
            News::Beat { .. } => true,
            News::End { .. } | News::Lost { .. } => false,
        });
        told.await?;
        view = client.get(&path(run, "")).await?;
        idle = if view.seq > after { 0 } else { idle + 1 };
    }
    screen.clear();
    ended(context, &view)
}

fn is_new_question(before: Option<&LaneRow>, row: &LaneRow) -> bool {
    let asked = |lane: &LaneRow| lane.phase == "person" && lane.step == row.step;
    row.phase == "person" && !before.is_some_and(asked)
}

fn ended(context: &Context, view: &RunView) -> Result<(), Failure> {
    if view.run.ended_ms.is_none() {
        return Err(Failure::Unreachable(
            "the engine stopped telling: look again with `hostler run show`".to_owned(),
        ));
    }
    context.out.note(&show::run(&context.out, view, false));
    let good = LaneResult::named(&view.run.state).is_some_and(|result| {
        matches!(
            result,
            LaneResult::Succeeded | LaneResult::Recovered | LaneResult::Nothing
        )
    });
    if good {
        return Ok(());
    }
    let note = view
        .run
        .note
        .as_ref()
        .map(|note| format!(": {note}"))
        .unwrap_or_default();
    Err(Failure::RunFailed(format!(
        "the run ended as {}{note}",
        view.run.state
    )))
}

enum Screen {
    Live {
        all: MultiProgress,
        bars: BTreeMap<String, ProgressBar>,
        lanes: BTreeMap<LaneId, ProgressBar>,
        asked: Vec<LaneId>,
    },
    Lines {
        as_json: bool,
        quiet: bool,
        asked: Vec<LaneId>,
    },
}

impl Screen {
    fn live() -> Self {
        Self::Live {
            all: MultiProgress::new(),
            bars: BTreeMap::new(),
            lanes: BTreeMap::new(),
            asked: Vec::new(),
        }
    }

    fn lines(context: &Context) -> Self {
        let as_json = matches!(context.out.format, Format::Json | Format::Ndjson);
        Self::Lines {
            as_json,
            quiet: context.out.quiet,
            asked: Vec::new(),
        }
    }

    fn show(&mut self, root: LaneId, seen: &mut BTreeMap<LaneId, LaneRow>, row: LaneRow) {
        if seen.get(&row.lane) == Some(&row) {
            return;
        }
        let before = seen.insert(row.lane, row.clone());
        match self {
            Self::Live {
                all, bars, lanes, ..
            } => {
                draw_bars(all, bars, seen, root);
                draw_lane(all, lanes, &row, root);
            }
            Self::Lines { as_json: true, .. } => {
                if let Ok(text) = serde_json::to_string(&row) {
                    let _ = print(&text);
                }
            }
            Self::Lines { quiet, .. } => {
                let changed = before.is_none_or(|before| line(&before, root) != line(&row, root));
                if changed && !*quiet {
                    let _ = print(&line(&row, root));
                }
            }
        }
    }

    /// Says each open question once.
    fn questions(&mut self, view: &RunView) {
        let (Self::Live { asked, .. } | Self::Lines { asked, .. }) = self;
        let new: Vec<_> = view
            .waiting
            .iter()
            .filter(|row| !asked.contains(&row.lane))
            .cloned()
            .collect();
        asked.clear();
        asked.extend(view.waiting.iter().map(|row| row.lane));
        for row in new {
            let text = asked::question_line(&row);
            match self {
                Self::Live { all, .. } => {
                    let _ = all.println(text);
                }
                Self::Lines { as_json: false, .. } => {
                    let _ = print(text.trim());
                }
                Self::Lines { .. } => {}
            }
        }
    }

    fn clear(&mut self) {
        if let Self::Live { all, .. } = self {
            let _ = all.clear();
        }
    }
}

fn line(row: &LaneRow, root: LaneId) -> String {
    let name = if row.lane == root {
        "run"
    } else {
        row.key.as_deref().unwrap_or("lane")
    };
    let step = row
        .step
        .as_deref()
        .filter(|_| row.result.is_none())
        .unwrap_or_default();
    let of = row
        .of_step
        .as_deref()
        .map(|of| format!("{of} "))
        .unwrap_or_default();
    let counts = row
        .children
        .as_ref()
        .map(|row| format!("  {}", show::children(row)))
        .unwrap_or_default();
    let note = row
        .note
        .as_deref()
        .map(|note| format!("  {note}"))
        .unwrap_or_default();
    format!("{of}{name} {} {step}{counts}{note}", show::lane_state(row))
        .trim_end()
        .to_owned()
}

/// One bar for every step with children, and for every wave of it.
fn draw_bars(
    all: &MultiProgress,
    bars: &mut BTreeMap<String, ProgressBar>,
    seen: &BTreeMap<LaneId, LaneRow>,
    root: LaneId,
) {
    let mut counts: BTreeMap<String, (u64, u64, u64)> = BTreeMap::new();
    for row in seen.values().filter(|row| row.lane != root) {
        let Some(step) = &row.of_step else { continue };
        let name = row
            .wave
            .as_ref()
            .map_or_else(|| step.clone(), |wave| format!("{step} {wave}"));
        let entry = counts.entry(name).or_default();
        entry.1 += 1;
        if let Some(result) = row.result {
            entry.0 += 1;
            entry.2 += u64::from(result.is_failure());
        }
    }
    let style = ProgressStyle::with_template("{prefix:>18} [{bar:30}] {pos}/{len} {msg}");
    for (name, (ended, total, failed)) in counts {
        let bar = bars.entry(name.clone()).or_insert_with(|| {
            let bar = all.add(ProgressBar::new(total));
            if let Ok(style) = &style {
                bar.set_style(style.clone().progress_chars("█▌ "));
            }
            bar.set_prefix(name);
            bar
        });
        bar.set_length(total);
        bar.set_position(ended);
        bar.set_message(if failed > 0 {
            format!("{failed} failed")
        } else {
            String::new()
        });
    }
}

/// A line for a lane that works; it goes when the lane ends.
fn draw_lane(
    all: &MultiProgress,
    lanes: &mut BTreeMap<LaneId, ProgressBar>,
    row: &LaneRow,
    root: LaneId,
) {
    if row.result.is_some() {
        if let Some(bar) = lanes.remove(&row.lane) {
            bar.finish_and_clear();
        }
        return;
    }
    if !lanes.contains_key(&row.lane) && lanes.len() >= LIVE_MAX {
        return;
    }
    let bar = lanes.entry(row.lane).or_insert_with(|| {
        let bar = all.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("  {msg}") {
            bar.set_style(style);
        }
        bar
    });
    bar.set_message(line(row, root));
}
