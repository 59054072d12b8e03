//! TMF679 and TMF645: whether offerings and services can be ordered.

use super::item::{WantedProduct, WantedService, item};
use super::{DateTime, Reference, Rest};
use crate::table::TaskState;

crate::document! {
    /// A question whether offerings can be ordered, and its answer.
    #[derive(Default)]
    pub struct OfferingQualification {
        id?: String,
        state?: TaskState,
        category?: Reference,
        place*: Reference,
        provide_alternative?: bool,
        provide_only_available?: bool,
        provide_unavailability_reason?: bool,
        product_offering_qualification_date?: DateTime,
        effective_qualification_date?: DateTime,
        qualification_result?: String,
        product_offering_qualification_item?: Vec<OfferingQualificationItem>,
    }
}

item! {
    /// An item of a question for offerings.
    OfferingQualificationItem(
        product: WantedProduct, qualification_item_relationship, product_offering_qualification_item
    ) {
        state?: String,
        qualification_item_result?: String,
        alternate_product_offering_proposal?: Vec<AlternateOffering>,
        eligibility_unavailability_reason?: Vec<UnavailabilityReason>,
        termination_error?: Vec<TerminationError>,
    }
}

crate::document! {
    /// A search for offerings that can be ordered, and its answer.
    #[derive(Default)]
    pub struct QueryOfferingQualification {
        id?: String,
        state?: TaskState,
        effective_qualification_date?: DateTime,
        search_criteria?: OfferingCriteria,
        qualified_product_offering_item?: Vec<OfferingQualificationItem>,
    }
}

crate::document! {
    /// The offerings that a client looks for.
    pub struct OfferingCriteria {
        product_offering?: Reference,
        category?: Reference,
        product?: WantedProduct,
    }
}

crate::document! {
    /// A question whether services can be delivered, and its answer.
    #[derive(Default)]
    pub struct CheckServiceQualification {
        id?: String,
        state?: TaskState,
        place*: Reference,
        provide_alternative?: bool,
        provide_unavailability_reason?: bool,
        check_service_qualification_date?: DateTime,
        effective_qualification_date?: DateTime,
        qualification_result?: String,
        service_qualification_item*: ServiceQualificationItem,
    }
}

item! {
    /// An item of a question for services.
    ServiceQualificationItem(
        service: WantedService, qualification_item_relationship, service_qualification_item
    ) {
        state?: String,
        expected_service_availability_date?: DateTime,
        qualification_result?: String,
        alternate_service_proposal?: Vec<AlternateService>,
        eligibility_unavailability_reason?: Vec<UnavailabilityReason>,
        termination_error?: Vec<TerminationError>,
    }
}

crate::document! {
    /// A search for services that can be delivered, and its answer.
    #[derive(Default)]
    pub struct QueryServiceQualification {
        id?: String,
        state?: TaskState,
        effective_qualification_date?: DateTime,
        query_service_qualification_date?: DateTime,
        search_criteria?: ServiceCriteria,
        service_qualification_item?: Vec<ServiceQualificationItem>,
    }
}

crate::document! {
    /// The service that a client looks for.
    pub struct ServiceCriteria {
        service?: WantedService,
    }
}

crate::document! {
    /// An offering that can be ordered instead.
    pub struct AlternateOffering {
        id?: String,
        alternate_product_offering?: Reference,
        alternate_product?: WantedProduct,
    }
}

crate::document! {
    /// A service that can be delivered instead.
    pub struct AlternateService {
        id?: String,
        alternate_service?: WantedService,
    }
}

crate::document! {
    /// The reason why something cannot be ordered.
    #[derive(Eq)]
    pub struct UnavailabilityReason {
        code?: String,
        label?: String,
    }
}

impl UnavailabilityReason {
    pub fn new(code: impl Into<String>, label: impl Into<String>) -> Self {
        Self { code: Some(code.into()), label: Some(label.into()), rest: Rest::new() }
    }
}

crate::document! {
    /// The reason why a question has no answer.
    #[derive(Eq)]
    pub struct TerminationError {
        id?: String,
        value?: String,
    }
}

impl TerminationError {
    pub fn new(id: impl Into<String>, value: impl Into<String>) -> Self {
        Self { id: Some(id.into()), value: Some(value.into()), rest: Rest::new() }
    }
}
