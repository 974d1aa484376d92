//! Settings pages and API, and the preview of one order.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::part::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::<Settings>::start().await?;
    run(service_fn(|request| function.answer(request))).await
}
