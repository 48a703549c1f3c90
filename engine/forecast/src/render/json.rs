//! JSON: everything, versioned by `form`, in a fixed order, so that two months can be compared.

use crate::fault::ForecastFault;
use crate::forecast::Forecast;

/// Pretty-printed, with a line break at the end.
///
/// # Errors
/// Never for a forecast of this crate: it has only names as keys.
pub fn json(forecast: &Forecast) -> Result<String, ForecastFault> {
    let text = serde_json::to_string_pretty(forecast);
    text.map(|text| text + "\n")
        .map_err(|fault| ForecastFault::Json(fault.to_string()))
}
