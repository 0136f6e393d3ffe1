//! The AWS SDK for Rust as a program: one request a line in, one answer a line out (see clients_test.go).

use std::error::Error;
use std::io::{BufRead, Write};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::time::SystemTime;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::token::ProvideToken;
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sso::config::http::HttpResponse;
use aws_sdk_sso::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sso::primitives::{DateTime, DateTimeFormat};
use serde_json::{json, Value};

type Answer = Result<Value, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        let served = catch_unwind(AssertUnwindSafe(|| runtime.block_on(serve(&request))));
        let answer = match served {
            Ok(Ok(answer)) => answer,
            Ok(Err(e)) => {
                json!({"error": name(e.as_ref()), "message": DisplayErrorContext(e.as_ref()).to_string()})
            }
            Err(_) => json!({"error": "panic", "message": "the SDK panicked"}),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// name is what an error's Debug text starts with: its type, or its variant.
fn name(e: &(dyn Error + 'static)) -> String {
    let text = format!("{e:?}");
    text.split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default()
        .to_string()
}

async fn serve(request: &Value) -> Answer {
    let ask = |key: &str| request[key].as_str().unwrap_or_default();
    match ask("do") {
        "version" => Ok(
            json!({"version": format!("AWS SDK for Rust, aws-sdk-sts {}", aws_sdk_sts::meta::PKG_VERSION)}),
        ),
        "identity" => identity(&load(ask("profile")).await).await,
        "credentials" => credentials(&load(ask("profile")).await).await,
        "token" => token(&load(ask("profile")).await).await,
        "call" => call(&load("").await, ask("op")).await,
        other => Err(format!("cannot do {other:?}").into()),
    }
}

/// load reads the environment and the profile anew. The only thing that is not the SDK's own choice is the HTTP client,
/// which is its own without TLS.
async fn load(profile: &str) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http);
    if profile.is_empty() {
        return loader
            .region(Region::new("us-east-1"))
            .no_credentials()
            .load()
            .await;
    }
    loader.profile_name(profile).load().await
}

async fn identity(config: &SdkConfig) -> Answer {
    let who = aws_sdk_sts::Client::new(config)
        .get_caller_identity()
        .send()
        .await?;
    Ok(json!({"account": who.account(), "arn": who.arn()}))
}

async fn credentials(config: &SdkConfig) -> Answer {
    let provider = config
        .credentials_provider()
        .ok_or("no credentials provider")?;
    let creds = provider.provide_credentials().await?;
    let mut answer = json!({"access_key_id": creds.access_key_id()});
    if let Some(account) = creds.account_id() {
        answer["account"] = json!(account.as_str());
    }
    if let Some(expires) = creds.expiry() {
        answer["expires"] = json!(timestamp(expires)?);
    }
    Ok(answer)
}

async fn token(config: &SdkConfig) -> Answer {
    let provider = config.token_provider().ok_or("no token provider")?;
    let token = provider.provide_token().await?;
    let expires = token.expiration().ok_or("a token without an expiration")?;
    Ok(json!({"expires": timestamp(expires)?}))
}

fn timestamp(t: SystemTime) -> Result<String, Box<dyn Error>> {
    Ok(DateTime::from(t).fmt(DateTimeFormat::DateTime)?)
}

/// call calls op with made-up arguments and tells how its refusal is typed.
async fn call(config: &SdkConfig, op: &str) -> Answer {
    let (oidc, portal) = (
        aws_sdk_ssooidc::Client::new(config),
        aws_sdk_sso::Client::new(config),
    );
    const SOME: &str = "111111111111";
    match op {
        "RegisterClient" => refused(
            oidc.register_client()
                .client_name(SOME)
                .client_type("public")
                .send()
                .await,
            oidc_exception,
        ),
        "StartDeviceAuthorization" => refused(
            oidc.start_device_authorization()
                .client_id(SOME)
                .client_secret(SOME)
                .start_url(SOME)
                .send()
                .await,
            oidc_exception,
        ),
        "CreateToken" => refused(
            oidc.create_token()
                .client_id(SOME)
                .client_secret(SOME)
                .grant_type("refresh_token")
                .refresh_token(SOME)
                .send()
                .await,
            oidc_exception,
        ),
        "ListAccounts" => refused(
            portal.list_accounts().access_token(SOME).send().await,
            portal_exception,
        ),
        "ListAccountRoles" => refused(
            portal
                .list_account_roles()
                .access_token(SOME)
                .account_id(SOME)
                .send()
                .await,
            portal_exception,
        ),
        "GetRoleCredentials" => refused(
            portal
                .get_role_credentials()
                .access_token(SOME)
                .account_id(SOME)
                .role_name(SOME)
                .send()
                .await,
            portal_exception,
        ),
        "Logout" => refused(
            portal.logout().access_token(SOME).send().await,
            portal_exception,
        ),
        _ => Err(format!("cannot call {op:?}").into()),
    }
}

/// refused tells what a call was refused with. exception gives the name and the text of a service's typed exception.
fn refused<T, E, S>(
    result: Result<T, SdkError<E, HttpResponse>>,
    exception: fn(&S) -> Option<(&'static str, Option<&str>)>,
) -> Answer
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    S: From<SdkError<E, HttpResponse>>,
{
    let Err(e) = result else {
        return Ok(json!({"status": 200}));
    };
    let Some(status) = e.raw_response().map(|r| r.status().as_u16()) else {
        return Err(Box::new(e));
    };
    let code = e.code().unwrap_or_default().to_string();
    let text = e.message().unwrap_or_default().to_string();
    let typed = S::from(e);
    let (kind, description) = exception(&typed).unwrap_or_default();
    Ok(
        json!({"type": kind, "code": code, "status": status, "message": description.unwrap_or(&text)}),
    )
}

/// exceptions! makes a function that matches each exception class by name, so that a class that is not there does not
/// compile.
macro_rules! exceptions {
    ($function:ident, $service:ident, $text:ident, $($class:ident)+) => {
        fn $function(e: &$service::Error) -> Option<(&'static str, Option<&str>)> {
            match e {
                $($service::Error::$class(e) => Some((stringify!($class), e.$text())),)+
                _ => None,
            }
        }
    };
}

exceptions!(oidc_exception, aws_sdk_ssooidc, error_description,
    AccessDeniedException AuthorizationPendingException ExpiredTokenException InternalServerException
    InvalidClientException InvalidClientMetadataException InvalidGrantException InvalidRedirectUriException
    InvalidRequestException InvalidRequestRegionException InvalidScopeException SlowDownException
    UnauthorizedClientException UnsupportedGrantTypeException);

exceptions!(portal_exception, aws_sdk_sso, message,
    InvalidRequestException ResourceNotFoundException TooManyRequestsException UnauthorizedException);
