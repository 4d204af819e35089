//! Images: which are there, and whether their tags can be moved. No image is pulled, pushed or tagged.

use super::failure::Failure;
use super::words;
use crate::clouds::Cloud;
use crate::operation::Operation;
use aws_sdk_ecr::types::{
    DescribeImagesFilter, ImageDetail, ImageIdentifier, ImageStatus, ImageTagMutability, TagStatus,
};
use jiff::Timestamp;
use launchway_plan::fault::Fault;
use launchway_plan::image::ImageId;
use launchway_plan::world::LiveImage;

/// The most images that a page has. Source: API reference of DescribeImages.
const PAGE: i32 = 1000;

impl Cloud {
    /// An image; an archived one cannot be pulled and counts as none. One call.
    pub async fn image(&self, repository: &str, id: &ImageId) -> Result<Option<LiveImage>, Fault> {
        let wanted = match id {
            ImageId::Tag(tag) => ImageIdentifier::builder().image_tag(tag).build(),
            ImageId::Digest(digest) => ImageIdentifier::builder().image_digest(digest).build(),
        };
        let request = self.inner().clients.ecr.describe_images().repository_name(repository).image_ids(wanted);
        match self.look(Operation::DescribeImages, || request.clone().send()).await {
            Ok(seen) => Ok(seen.image_details().iter().find_map(image)),
            Err(failure) if failure.code == "ImageNotFoundException" => Ok(None),
            Err(failure) => Err(self.repository_fault(Operation::DescribeImages, &failure, repository)),
        }
    }

    /// Shows every tag of a repository's images, and when its image was pushed first, in no order. One call for a thousand images.
    pub async fn tags(&self, repository: &str, mut see: impl FnMut(&str, Timestamp) + Send) -> Result<(), Fault> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let request = self.inner().clients.ecr.describe_images().repository_name(repository).filter(tagged);
        let request = request.max_results(PAGE);
        let mut token = None;
        loop {
            let page = request.clone().set_next_token(token);
            let seen = self.look(Operation::DescribeImages, || page.clone().send()).await;
            let seen =
                seen.map_err(|failure| self.repository_fault(Operation::DescribeImages, &failure, repository))?;
            for detail in seen.image_details() {
                let Some(image) = image(detail) else { continue };
                detail.image_tags().iter().for_each(|tag| see(tag, image.pushed_at));
            }
            token = seen.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether no tag of the repository can be moved to another image. One call.
    pub async fn is_immutable(&self, repository: &str) -> Result<bool, Fault> {
        let request = self.inner().clients.ecr.describe_repositories().repository_names(repository);
        match self.look(Operation::DescribeRepositories, || request.clone().send()).await {
            Ok(seen) => Ok(seen
                .repositories()
                .iter()
                .any(|one| one.image_tag_mutability() == Some(&ImageTagMutability::Immutable))),
            Err(failure) => Err(self.repository_fault(Operation::DescribeRepositories, &failure, repository)),
        }
    }

    fn repository_fault(&self, operation: Operation, failure: &Failure, repository: &str) -> Fault {
        self.fault(operation, failure, "ecr", &format!("repository/{repository}"))
    }
}

fn image(detail: &ImageDetail) -> Option<LiveImage> {
    if detail.image_status() == Some(&ImageStatus::Archived) {
        return None;
    }
    let pushed_at = words::moment(detail.image_pushed_at()).unwrap_or(Timestamp::MIN);
    Some(LiveImage { digest: words::text(detail.image_digest())?, pushed_at })
}
