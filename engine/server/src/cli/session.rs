//! Which engine is talked to, and as whom.

use super::Context;
use crate::client::Client;
use crate::dev::state::DevState;
use crate::failure::Failure;

impl Context {
    /// The engine at `--server`, else the running `hostler dev` of this folder, else as configured.
    ///
    /// # Errors
    /// When `--as` names nobody of the practice estate.
    pub fn client(&self) -> Result<Client, Failure> {
        let dev = DevState::read(self.state_folder());
        let token = self.token(dev.as_ref())?;
        let base = match (&self.global.server, &dev) {
            (Some(server), _) if server.contains("://") => server.clone(),
            (Some(server), _) => format!("http://{server}"),
            (None, Some(dev)) if self.global.config.is_none() => dev.address.clone(),
            (None, _) => self.config()?.url(),
        };
        Client::new(&base, token)
    }

    fn token(&self, dev: Option<&DevState>) -> Result<Option<String>, Failure> {
        let Some(person) = &self.global.person else {
            let first = || dev.and_then(|dev| dev.tokens.get(&dev.operator).cloned());
            return Ok(self.global.token.clone().or_else(first));
        };
        let Some(dev) = dev else {
            let place = self.state_folder().display();
            return Err(Failure::Usage(format!(
                "--as needs the practice estate: no `hostler dev` has run in {place}\n  elsewhere, set HOSTLER_TOKEN"
            )));
        };
        match dev.tokens.get(person) {
            Some(token) => Ok(Some(token.clone())),
            None => {
                let known: Vec<&str> = dev.tokens.keys().map(String::as_str).collect();
                let remedy = hostler_api::suggest::remedy(person, &known);
                Err(Failure::Usage(format!(
                    "the practice estate has no {person}: {remedy}"
                )))
            }
        }
    }
}
