//! `each` and `repeat`: their bodies become programs of their own.

use super::Compiler;
use super::step::approval;
use crate::ast::{self, Dyn, Over};
use hostler_core::definition as core;

impl Compiler<'_> {
    pub(super) fn each(&mut self, each: &ast::Each, asset_lane: bool) -> Option<core::Each> {
        // Where the items are assets every lane has its own; otherwise the lane around may have one.
        let own = each.binds.value == "asset" || asset_lane || !self.input_asset;
        let window = each
            .window
            .as_ref()
            .map(Dyn::core)
            .or_else(|| self.window.clone());
        let around = std::mem::replace(&mut self.window, window);
        let body = self.inner(&each.body, Some(&each.binds.value), own);
        self.window = around;
        let body = body?;
        Some(core::Each {
            over: match &each.over {
                Over::List(value) => core::Over::List(value.core()),
                Over::Times(value) => core::Over::Times(value.core()),
            },
            binds: each.binds.value.clone(),
            key: each.key.as_ref().map(ast::Expr::core),
            body,
            at_once: each.at_once.clone(),
            take: each.take,
            on_failure: each.on_failure.map(|(word, _)| word).unwrap_or_default(),
            collect: each.collect.as_ref().map(|(collect, _, _)| collect.clone()),
            waves: each.waves.iter().map(wave).collect(),
            stop_at: each.stop_at.as_ref().map(|(stop, _)| stop.clone()),
            gate: each.gate.as_ref().map(|gate| core::Gate {
                approve: approval(gate),
            }),
            lead_ms: each.lead.map(|(ms, _)| ms),
            overflow: each.overflow.map(|(overflow, _)| overflow),
        })
    }

    pub(super) fn repeat(
        &mut self,
        repeat: &ast::Repeat,
        asset_lane: bool,
    ) -> Option<core::Repeat> {
        let body = self.inner(&repeat.body, None, asset_lane)?;
        Some(core::Repeat {
            body,
            at_most: repeat.at_most,
            for_ms: repeat.for_ms,
            every_ms: repeat.every_ms,
            until: repeat.until.as_ref().map(ast::Expr::core),
            on_exhausted: repeat.on_exhausted,
        })
    }
}

fn wave(wave: &ast::Wave) -> core::Wave {
    core::Wave {
        name: wave.name.value.clone(),
        matches: wave.matches.as_ref().map(|text| text.value.clone()),
        take: wave.take,
        soak: wave.soak.as_ref().map(Dyn::core),
        opens: wave.opens.as_ref().map(|opens| match opens {
            ast::Opens::AnchorDays(days, _) => core::Opens::AnchorDays(*days),
            ast::Opens::At(at) => core::Opens::At(at.core()),
        }),
    }
}
