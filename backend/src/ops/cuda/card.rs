//! What a GPU is like, asked once.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use candle_core::Result;
use candle_core::cuda_backend::cudarc::driver::sys::CUdevice_attribute::{
    CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
};
use candle_core::cuda_backend::{CudaDevice, WrapErr as _};

/// What launches depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Card {
    /// Major and minor compute capability.
    pub(super) capability: (i32, i32),
    pub(super) processors: usize,
    /// Bytes of shared memory that a block can get by asking, its fixed part included.
    pub(super) shared: usize,
}

impl Card {
    pub(super) fn of(device: &CudaDevice) -> Result<Self> {
        static KNOWN: RwLock<BTreeMap<usize, Card>> = RwLock::new(BTreeMap::new());

        let stream = device.cuda_stream();
        let context = stream.context();
        let ordinal = context.ordinal();
        let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(&ordinal).copied();
        if let Some(card) = known {
            return Ok(card);
        }
        let number = |attribute| -> Result<usize> {
            usize::try_from(context.attribute(attribute).w()?).map_err(candle_core::Error::wrap)
        };
        let card = Self {
            capability: context.compute_capability().w()?,
            processors: number(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
            shared: number(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN)?,
        };
        KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(ordinal, card);
        Ok(card)
    }

    /// Whether a kernel can start before the one in front of it has ended.
    pub(super) fn starts_early(self) -> bool {
        self.capability >= (9, 0)
    }
}
