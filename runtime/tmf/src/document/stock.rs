//! TMF687: stocks of products, and the tasks that reserve, adjust and look at them.

use super::{DateTime, Quantity, Reference, TimePeriod, write};
use crate::describes::describes;
use crate::table::{StockStatus, TaskState};

crate::document! {
    /// A stock of a product.
    pub struct ProductStock {
        id: String,
        href?: String,
        name?: String,
        product_stock_status_type?: StockStatus,
        product_stock_level?: Quantity,
        product_stock_relationship*: StockRelationship,
        stocked_product?: StockedProduct,
        place?: Reference,
        related_party*: Reference,
        creation_date?: DateTime,
        last_update?: DateTime,
        #[serde(rename = "@type")]
        kind?: String,
    }
}

crate::document! {
    /// A relation between two stocks.
    pub struct StockRelationship {
        relationship_type: String,
        stock_level: Reference,
    }
}

crate::document! {
    /// The product in a stock, or the one that a client wants.
    #[derive(Default)]
    pub struct StockedProduct {
        id?: String,
        product_offering?: Reference,
        product_specification?: Reference,
    }
}

crate::document! {
    /// The attributes of the stocks that a client looks for.
    #[derive(Default)]
    pub struct StockCriteria {
        id?: String,
        stocked_product?: StockedProduct,
        place?: Reference,
    }
}

impl StockCriteria {
    /// Whether a stock has these attributes.
    pub fn fit(&self, stock: &ProductStock) -> bool {
        describes(&write(self), &write(stock))
    }
}

crate::document! {
    /// A reservation (`ReserveProductStock`).
    pub struct ReserveProductStock {
        id?: String,
        reserve_product_stock_state?: TaskState,
        place?: Reference,
        valid_for?: TimePeriod,
        reserve_product_stock_item*: ReserveProductStockItem,
    }
}

crate::document! {
    /// An item of a reservation.
    pub struct ReserveProductStockItem {
        id?: String,
        reserve_product_stock_state?: TaskState,
        /// The stock to take it from.
        product_stock_requested?: Reference,
        /// The stock that was made for what is reserved.
        product_stock_reserved?: Reference,
        quantity_requested: Quantity,
        quantity_reserved?: Quantity,
        requested_product?: StockedProduct,
        place?: Reference,
    }
}

crate::document! {
    /// A correction of stock levels (`AdjustProductStock`).
    pub struct AdjustProductStock {
        id?: String,
        state?: TaskState,
        completed_adjust_product_stock_date?: DateTime,
        adjust_product_stock_item*: AdjustProductStockItem,
    }
}

crate::document! {
    /// An item of a correction: by how much one stock changes.
    pub struct AdjustProductStockItem {
        id?: String,
        state?: TaskState,
        product_stock_target: Reference,
        adjust_product_stock_quantity: Quantity,
    }
}

crate::document! {
    /// A question whether there is enough (`CheckProductStock`).
    pub struct CheckProductStock {
        id?: String,
        state?: TaskState,
        provide_alternative?: bool,
        completed_check_product_stock_date?: DateTime,
        check_product_stock_item*: CheckProductStockItem,
    }
}

crate::document! {
    /// An item of a check, and its answer.
    pub struct CheckProductStockItem {
        id?: String,
        state?: TaskState,
        checked_product_stock?: StockCriteria,
        requested_quantity: Quantity,
        provide_alternative?: bool,
        availability_result?: String,
        alternate?: Vec<AlternateProductStock>,
    }
}

crate::document! {
    /// Another stock that has enough of the same product.
    pub struct AlternateProductStock {
        id?: String,
        alternate_stock?: Reference,
        alternate_quantity?: Quantity,
        alternate_place?: Reference,
    }
}

crate::document! {
    /// A search for stocks (`QueryProductStock`).
    pub struct QueryProductStock {
        id?: String,
        state?: TaskState,
        search_criteria?: StockCriteria,
        completed_query_product_stock_date?: DateTime,
        query_product_stock_item?: Vec<ProductStock>,
    }
}
