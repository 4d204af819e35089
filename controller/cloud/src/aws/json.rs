//! AWS's structures as JSON and back, through the SDK's own codec: what a spec names is sent as it stands, without a second
//! struct for each of AWS's.

use super::failure::Failure;
use aws_smithy_json::codec::{JsonCodec, JsonCodecSettings};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_schema::codec::Codec;
use aws_smithy_schema::serde::{SerdeError, SerializableStruct, ShapeDeserializer, ShapeSerializer};
use aws_smithy_types::config_bag::ConfigBag;
use launchway_plan::world::Members;
use std::fmt;

fn codec() -> JsonCodec {
    JsonCodec::new(JsonCodecSettings::builder().build())
}

/// The SDK's input of an operation, from the operation's request as JSON.
pub(crate) fn input<I>(
    body: &Members,
    read: impl Fn(&mut dyn ShapeDeserializer) -> Result<I, SerdeError>,
) -> Result<I, Failure> {
    let text = serde_json::to_vec(body).map_err(|error| Failure::unbuilt(&error))?;
    read(&mut codec().create_deserializer(&text)).map_err(|error| Failure::unbuilt(&error))
}

/// A structure of an answer, as JSON. One that cannot be written so is not an empty one: then nothing was seen.
pub(crate) fn members<T: SerializableStruct>(structure: &T) -> Result<Members, Failure> {
    let unreadable =
        |why: &dyn fmt::Display| Failure::unreadable(&format!("a structure that is no JSON object: {why}"));
    let mut serializer = codec().create_serializer();
    serializer.write_struct(structure.schema(), structure).map_err(|error| unreadable(&error))?;
    serde_json::from_slice(&serializer.finish()).map_err(|error| unreadable(&error))
}

/// Puts a whole input in the place of the empty one with which an operation was begun.
#[derive(Clone)]
pub(crate) struct Whole<I>(pub I);

impl<I> fmt::Debug for Whole<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Whole")
    }
}

impl<I: Clone + fmt::Debug + Send + Sync + 'static> Intercept for Whole<I> {
    fn name(&self) -> &'static str {
        "Whole"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut().downcast_mut::<I>();
        *input.ok_or("the SDK has another input for this operation than it is sent")? = self.0.clone();
        Ok(())
    }
}
