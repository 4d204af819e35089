//! Images: whether a tag is there. No image is pulled, pushed or tagged.

use super::words;
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecr::types::{ImageDetail, ImageIdentifier, ImageStatus};
use launchway_plan::fault::Fault;
use launchway_plan::world::LiveImage;

impl Cloud {
    /// The image that a tag names; an archived one cannot be pulled and counts as none. One call.
    pub async fn image(&self, repository: &str, tag: &str) -> Result<Option<LiveImage>, Fault> {
        let wanted = ImageIdentifier::builder().image_tag(tag).build();
        let request = self.inner().clients.ecr.describe_images().repository_name(repository).image_ids(wanted);
        match self.look(Operation::DescribeImages, || request.clone().send()).await {
            Ok(seen) => Ok(seen.image_details().iter().find_map(image)),
            Err(failure) if failure.code == "ImageNotFoundException" => Ok(None),
            Err(failure) => {
                Err(self.fault(Operation::DescribeImages, &failure, "ecr", &format!("repository/{repository}")))
            }
        }
    }
}

fn image(detail: &ImageDetail) -> Option<LiveImage> {
    if detail.image_status() == Some(&ImageStatus::Archived) {
        return None;
    }
    Some(LiveImage { digest: words::text(detail.image_digest())? })
}
