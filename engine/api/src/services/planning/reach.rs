//! How every asset is reached for every contract that the run uses, and by which pinned component.

use super::uses::{Use, Uses};
use crate::Api;
use crate::problem::{Code, Problem};
use hostler_core::id::Digest;
use hostler_core::plan::Route;
use hostler_ports::plugin::Description;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Most assets that one message names.
const NAMED_MAX: usize = 10;

#[derive(Default)]
pub struct Reach {
    pub routes: BTreeMap<String, BTreeMap<String, Route>>,
    pub ambient: BTreeMap<String, Route>,
    pub limits: BTreeMap<String, u32>,
    pub plugins: BTreeMap<String, Digest>,
    /// Digests of the connections of `limits`.
    pub connections: BTreeMap<String, Digest>,
}

type Installed = BTreeMap<String, (Digest, Arc<Description>)>;

/// # Errors
/// `no-route` or `no-plugin` for what is certain to be needed.
pub fn find(api: &Api, assets: &BTreeSet<String>, uses: &Uses) -> Result<Reach, Problem> {
    let installed = installed(api)?;
    let mut reach = Reach::default();
    for (contract, actions) in by_contract(uses) {
        let on_assets: Vec<_> = actions
            .iter()
            .filter(|(_, used)| used.needs_asset)
            .copied()
            .collect();
        let ambient: Vec<_> = actions
            .iter()
            .filter(|(_, used)| !used.needs_asset)
            .copied()
            .collect();
        if !on_assets.is_empty() {
            for (asset, route) in routes(api, assets, contract, &on_assets)? {
                admit(api, &installed, &mut reach, &route, &on_assets)?;
                reach
                    .routes
                    .entry(asset)
                    .or_default()
                    .insert(contract.to_owned(), route);
            }
        }
        if !ambient.is_empty() {
            match api.directory.route(None, contract) {
                Some(route) => {
                    admit(api, &installed, &mut reach, &route, &ambient)?;
                    reach.ambient.insert(contract.to_owned(), route);
                }
                None if ambient.iter().any(|(_, used)| used.certain) => {
                    let detail = format!("the realm has no connection for {contract}");
                    return Err(Problem::new(Code::NoRoute, detail).remedy(format!(
                        "add `via: {{ {contract}: <connection> }}` to the estate"
                    )));
                }
                None => {}
            }
        }
    }
    Ok(reach)
}

/// Plugins by name. Two components of one name would leave the choice to chance.
fn installed(api: &Api) -> Result<Installed, Problem> {
    let mut installed = Installed::new();
    for (digest, description) in api.plugins.plugins() {
        let name = description.name.clone();
        if let Some((other, _)) = installed.insert(name.clone(), (digest, description)) {
            let detail = format!(
                "two components are called {name}: {} and {}",
                other.short(),
                digest.short()
            );
            return Err(Problem::new(Code::NoPlugin, detail)
                .remedy("leave one of them in the plugins' lock file"));
        }
    }
    Ok(installed)
}

fn by_contract(uses: &Uses) -> BTreeMap<&str, Vec<(&str, Use)>> {
    let mut contracts: BTreeMap<&str, Vec<(&str, Use)>> = BTreeMap::new();
    for (action, used) in uses {
        let contract = action.split('.').next().unwrap_or_default();
        contracts.entry(contract).or_default().push((action, *used));
    }
    contracts
}

fn routes(
    api: &Api,
    assets: &BTreeSet<String>,
    contract: &str,
    actions: &[(&str, Use)],
) -> Result<Vec<(String, Route)>, Problem> {
    let mut routes = Vec::with_capacity(assets.len());
    let mut without = Vec::new();
    for asset in assets {
        match api.directory.route(Some(asset), contract) {
            Some(route) => routes.push((asset.clone(), route)),
            None => without.push(asset.as_str()),
        }
    }
    if without.is_empty() || !actions.iter().any(|(_, used)| used.certain) {
        return Ok(routes);
    }
    let more = without.len().saturating_sub(NAMED_MAX);
    let named = without[..without.len().min(NAMED_MAX)].join(", ");
    let rest = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(Problem::new(
        Code::NoRoute,
        format!("no connection for {contract}: {named}{rest}"),
    )
    .with("assets", without)
    .remedy(format!(
        "add `via: {{ {contract}: <connection> }}` to these assets, or leave them out"
    )))
}

/// Pins the plugin of a route and the limits of its connections.
fn admit(
    api: &Api,
    installed: &Installed,
    reach: &mut Reach,
    route: &Route,
    actions: &[(&str, Use)],
) -> Result<(), Problem> {
    if reach.limits.contains_key(&route.connection) && reach.plugins.contains_key(&route.plugin) {
        return serves(installed, route, actions);
    }
    serves(installed, route, actions)?;
    for name in std::iter::once(&route.connection).chain(route.handles.values()) {
        let connection = api.directory.connection(name).ok_or_else(|| {
            Problem::new(Code::NoRoute, format!("there is no connection {name}")).remedy(format!(
                "add it to `connections`, or take it out of {}",
                route.connection
            ))
        })?;
        reach.limits.insert(name.clone(), connection.limits.at_once);
        reach.connections.insert(name.clone(), connection.digest());
    }
    if let Some((digest, _)) = installed.get(&route.plugin) {
        reach.plugins.insert(route.plugin.clone(), *digest);
    }
    Ok(())
}

/// The plugin is there and has every action that is certain to be called.
fn serves(installed: &Installed, route: &Route, actions: &[(&str, Use)]) -> Result<(), Problem> {
    let Some((_, description)) = installed.get(&route.plugin) else {
        let detail = format!(
            "the plugin {} of connection {} is not installed",
            route.plugin, route.connection
        );
        return Err(Problem::new(Code::NoPlugin, detail)
            .remedy("build it (`cargo xtask plugins`) and name its folder with --plugins, or use another connection"));
    };
    let has = |name: &str| description.actions.iter().any(|action| action.name == name);
    match actions
        .iter()
        .find(|(name, used)| used.certain && !has(name))
    {
        None => Ok(()),
        Some((name, _)) => {
            let detail = format!(
                "the plugin {} {} has no action {name}",
                description.name, description.version
            );
            Err(Problem::new(Code::NoPlugin, detail)
                .remedy("use a newer version of it, or reach these assets over another connection"))
        }
    }
}
