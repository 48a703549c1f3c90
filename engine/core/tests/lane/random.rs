//! Long random walks of random programs. A failing one prints its seed and is small already.

use crate::support::build::*;
use crate::support::drive::World;
use crate::support::offers::{Bounds, WIDE, offers};
use crate::support::watch::{Watch, folds_from_json};
use hostler_core::apply::fold;
use hostler_core::definition::*;
use hostler_core::event::{Event, Recorded};
use proptest::prelude::*;

/// Longest walk; most programs end before.
const STEPS_MAX: usize = 120;
const CASES: u32 = 200;
const EVERYTHING: Bounds = Bounds {
    copies: true,
    slots: 1,
    ..WIDE
};

#[derive(Clone, Debug)]
struct Shape {
    verb: u8,
    on_failure: u8,
    undo: u8,
    retry: u32,
    no_return: bool,
    conditional: bool,
}

fn shape() -> impl Strategy<Value = Shape> {
    (
        0..11u8,
        0..6u8,
        0..4u8,
        0..3u32,
        prop::bool::weighted(0.1),
        any::<bool>(),
    )
        .prop_map(
            |(verb, on_failure, undo, retry, no_return, conditional)| Shape {
                verb,
                on_failure,
                undo,
                retry,
                no_return,
                conditional,
            },
        )
}

fn made(number: usize, shape: &Shape, in_always: bool) -> Step {
    let place = if in_always { "always" } else { "step" };
    let id = format!("{place}{number}");
    let mut step = verb(&id, shape.verb);
    step.on_failure = [
        OnFailure::Stop,
        OnFailure::Undo,
        OnFailure::Hold,
        OnFailure::Continue,
        OnFailure::Ask,
        OnFailure::Again,
    ][usize::from(shape.on_failure)];
    step = step.retry(shape.retry);
    step.no_return = shape.no_return;
    if shape.conditional {
        step = step.conditional();
    }
    let (first, second) = (format!("{id}_undo1"), format!("{id}_undo2"));
    match shape.undo {
        0 => step,
        1 => step.undo(vec![repeatable(&first)]),
        2 => step.undo(vec![once(&first).conditional(), approval(&second)]),
        _ => step.undo(vec![call(&first)]),
    }
}

fn verb(id: &str, verb: u8) -> Step {
    let asking = Each {
        on_failure: OnFailure::Ask,
        gate: gate(),
        ..each_of()
    };
    let bounded = Each {
        at_once: AtOnce {
            ramp: Ramp::Stages(vec![1, 2]),
            per: vec![PerGroup {
                attribute: "g".to_owned(),
                limit: 1,
            }],
        },
        stop_at: Some(StopAt {
            consecutive: Some(2),
            percent: Some(75),
            after: 3,
            ..StopAt::default()
        }),
        ..each_of()
    };
    match verb {
        0 => read(id),
        1 => repeatable(id),
        2 | 3 => once(id),
        4 => wait(id),
        5 => approval(id),
        6 => ask(id),
        7 => each(id, asking).noticed(),
        8 => each(id, bounded).noticed(),
        9 => repeat(id, 2, true, OnExhausted::Ask),
        _ => call(id),
    }
}

fn world() -> impl Strategy<Value = World> {
    let steps = prop::collection::vec(shape(), 1..6);
    let always = prop::collection::vec(shape(), 0..3);
    (steps, always).prop_map(|(steps, always)| {
        let all = |shapes: &[Shape], in_always| {
            let numbered = shapes.iter().enumerate();
            numbered
                .map(|(number, shape)| made(number, shape, in_always))
                .collect()
        };
        let definition = definition(all(&steps, false), all(&always, true));
        let (a, b): (&[&str], &[&str]) = (&["g=1", "customer=a"], &["g=2", "customer=b"]);
        let mut world = World::of(definition).with_items(items(&[a, b, a, b]), &[(1, 20), (3, 0)]);
        world.customers = vec![("a".to_owned(), 2), ("b".to_owned(), 2)];
        world
    })
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let program = &self.definition.programs[0];
        f.debug_struct("World")
            .field("steps", &program.steps)
            .field("always", &program.always)
            .finish_non_exhaustive()
    }
}

fn wander(world: &World, picks: &[u16]) -> Result<bool, TestCaseError> {
    let (mut lane, mut watch, mut now_ms) = (lane(), Watch::default(), BEGIN_MS);
    let opening = Box::new((*lane.opening).clone());
    let mut log = vec![Recorded::new(Event::LaneOpened { opening }, now_ms)];
    for pick in picks {
        if lane.has_ended() {
            break;
        }
        let taken: Vec<_> = offers(world, &lane, &watch, now_ms, EVERYTHING)
            .into_iter()
            .filter_map(|(input, at_ms)| {
                let decision = world.decide(&lane, input.clone(), at_ms).ok()?;
                Some((input, at_ms, decision))
            })
            .collect();
        prop_assert!(
            !taken.is_empty(),
            "nothing moves a lane that is {:?}",
            lane.phase
        );
        let (input, at_ms, decision) = &taken[usize::from(*pick) % taken.len()];
        let checked = watch
            .check(world, &lane, input, decision, *at_ms)
            .and_then(|()| folds_from_json(&lane, decision));
        prop_assert_eq!(checked, Ok(()), "after {:?}", input);
        log.extend(decision.events.iter().cloned());
        lane = decision.lane.clone();
        now_ms = *at_ms;
    }
    prop_assert_eq!(fold(&log), Some(lane.clone()));
    Ok(lane.has_ended())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_random_walk_breaks_an_invariant(
        world in world(),
        picks in prop::collection::vec(any::<u16>(), STEPS_MAX),
    ) {
        wander(&world, &picks)?;
    }
}
