//! Intuit sign-in, the way back, connections, people: the requests of the HTTP API that no other
//! function answers.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::part::Oauth;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::<Oauth>::start().await?;
    run(service_fn(|request| function.answer(request))).await
}
