//! Colours and sizes. Light by itself, dark where the reader prefers it; the fonts of the system.
//!
//! Nothing is told by colour alone: each kind of mark has a shape of its own and stands in the legend.

pub const STYLE: &str = "<style>
text{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',Arial,sans-serif;font-size:12px;fill:#1d2430}
.title{font-size:18px;font-weight:600}.wave{font-weight:600}.month{font-weight:600}
.soft,.weekday,.number{fill:#566070}.weekday,.number,.count{font-size:11px}.code{font-weight:600;fill:#a3261b}
.paper{fill:#ffffff}.weekend{fill:#f0f2f6}.band{fill:#e4e9f2}
.day{stroke:#e3e6ec;stroke-width:1}.week{stroke:#bcc4d0;stroke-width:1}.row{stroke:#d5dae2;stroke-width:1}
.freeze{fill:url(#ice);stroke:#3f7fb5;stroke-width:1}.ice{stroke:#3f7fb5;stroke-width:1.2;stroke-opacity:.45}.cold{fill:#1f5f95;font-size:11px;font-weight:600}
.slot{fill:#cfe3d3;stroke:#2c7a45;stroke-width:1}.work{fill:#2c7a45}
.span{fill:#566070}.soak{fill:none;stroke:#8a5a00;stroke-width:1.4;stroke-dasharray:4 3}
.open{stroke:#1d2430;stroke-width:1.6}
.notice{fill:#6a3fb0}.reminder{fill:none;stroke:#6a3fb0;stroke-width:2}.approval{fill:#b0540a}.asked{fill:#ffffff;stroke:#b0540a;stroke-width:2}.term{fill:#b0540a;fill-opacity:.3}
.silent{fill:#ffffff;stroke:#0f6b75;stroke-width:2}.yes{fill:#0f6b75}.missed{stroke:#a3261b;stroke-width:2.2}
@media (prefers-color-scheme:dark){
text{fill:#e7ebf2}.soft,.weekday,.number{fill:#a6b0c0}.code{fill:#ff9a8f}
.paper{fill:#14181f}.weekend{fill:#1c222c}.band{fill:#252d3a}
.day{stroke:#242b36}.week{stroke:#465164}.row{stroke:#303947}
.freeze{stroke:#6fb2ea}.ice{stroke:#6fb2ea}.cold{fill:#9ccdf7}
.slot{fill:#234a30;stroke:#6cc98a}.work{fill:#6cc98a}.span{fill:#a6b0c0}.soak{stroke:#e0b050}.open{stroke:#e7ebf2}
.notice{fill:#b795f0}.reminder{stroke:#b795f0}.approval{fill:#f0a060}.asked{fill:#14181f;stroke:#f0a060}.term{fill:#f0a060}
.silent{fill:#14181f;stroke:#5fc7d3}.yes{fill:#5fc7d3}.missed{stroke:#ff9a8f}}
</style>
<defs><pattern id=\"ice\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\"><path class=\"ice\" d=\"M0 8L8 0\"/></pattern></defs>";
