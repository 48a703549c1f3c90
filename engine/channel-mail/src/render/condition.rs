//! `if` and `unless` that refuse a field that is not there: a mistyped condition must not be false in
//! silence, as the library's own would be.

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, JsonTruthy as _, Output, RenderContext,
    RenderErrorReason, Renderable as _,
};

pub(super) struct Condition {
    pub(super) holds_when: bool,
}

impl HelperDef for Condition {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        state: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let field = helper
            .param(0)
            .ok_or(RenderErrorReason::ParamNotFoundForIndex("if", 0))?;
        if field.is_value_missing() {
            return Err(RenderErrorReason::MissingVariable(field.relative_path().cloned()).into());
        }
        let holds = field.value().is_truthy(false) == self.holds_when;
        let branch = if holds {
            helper.template()
        } else {
            helper.inverse()
        };
        branch.map_or(Ok(()), |branch| {
            branch.render(registry, context, state, out)
        })
    }
}
