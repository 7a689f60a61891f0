//! Whether a scheduler answers, and whether executors work for it.

use crate::Secret;
use crate::secret::NAME;

/// The address at which a scheduler says whether it has executors, and a client that it listens to.
pub(crate) struct Door {
    client: reqwest::Client,
    address: String,
}

impl Door {
    /// `scheduler` as `http://host:port`.
    ///
    /// # Errors
    /// The reason, where the host has no address.
    pub(crate) async fn of(scheduler: &str, secret: Option<&Secret>) -> Result<Self, String> {
        let Some(secret) = secret else {
            return Ok(Self { client: reqwest::Client::new(), address: format!("{scheduler}/readyz") });
        };
        let host = scheduler.split_once("://").map_or(scheduler, |(_, host)| host);
        let found = tokio::net::lookup_host(host).await.map_err(|error| format!("`{host}`: {error}"))?;
        let address = found.into_iter().next().ok_or_else(|| format!("`{host}` has no address"))?;
        let client = secret.http(address).map_err(|error| error.to_string())?;
        Ok(Self { client, address: format!("https://{NAME}:{}/readyz", address.port()) })
    }

    /// Whether executors work for the scheduler.
    ///
    /// # Errors
    /// The reason, where the scheduler does not answer, or not to one who shows this secret or none.
    pub(crate) async fn is_ready(&self) -> Result<bool, String> {
        match self.client.get(&self.address).send().await {
            Ok(answer) => Ok(answer.status().is_success()),
            Err(error) if error.is_connect() && !refused(&error) => {
                Err(format!("the scheduler does not hear us; it needs the same secret: {}", root(&error)))
            }
            Err(error) => Err(format!("no scheduler answers, or it needs a secret: {}", root(&error))),
        }
    }
}

fn refused(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            return error.kind() == std::io::ErrorKind::ConnectionRefused;
        }
        cause = error.source();
    }
    false
}

/// What is behind an error at the end.
fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
