//! The plan of a job: numbers of groups, and the operator that has them worked on.

use std::fmt;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::arrow::array::{AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt32Type};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, SendableRecordBatchStream,
};
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};
use futures::TryStreamExt as _;

use crate::Job;
use crate::worker::Workers;

/// A plan with a partition for each of the groups.
pub(crate) fn plan(job: Job, groups: &[usize]) -> Result<Arc<dyn ExecutionPlan>> {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("group", DataType::UInt32, false)]));
    let partitions = groups.iter().map(|group| {
        let number = u32::try_from(*group).map_err(|error| DataFusionError::External(Box::new(error)))?;
        let column = Arc::new(UInt32Array::from(vec![number]));
        Ok(vec![RecordBatch::try_new(Arc::clone(&schema), vec![column])?])
    });
    let partitions = partitions.collect::<Result<Vec<_>>>()?;
    let numbers = MemorySourceConfig::try_new_exec(&partitions, schema, None)?;
    Ok(Arc::new(GroupsExec::new(job, numbers, None)))
}

/// Has each group that comes from its input worked on, and passes its number on when it is staged.
///
/// The numbers come from below because a scheduler gives a task some of a plan's partitions by cutting the sources
/// that it knows; a source of ours would be left whole.
#[derive(Clone, Debug)]
pub(crate) struct GroupsExec {
    job: Job,
    input: Arc<dyn ExecutionPlan>,
    /// On an executor.
    workers: Option<Workers>,
    properties: Arc<PlanProperties>,
}

impl GroupsExec {
    fn new(job: Job, input: Arc<dyn ExecutionPlan>, workers: Option<Workers>) -> Self {
        let partitions = input.properties().output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(input.schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { job, input, workers, properties: Arc::new(properties) }
    }
}

impl DisplayAs for GroupsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupsExec: snapshot={}, as_of={}", self.job.snapshot, self.job.as_of)
    }
}

impl ExecutionPlan for GroupsExec {
    fn name(&self) -> &'static str {
        "GroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let [input] = <[_; 1]>::try_from(children)
            .map_err(|_| DataFusionError::Plan("groups come from one input".to_owned()))?;
        Ok(Arc::new(Self::new(self.job.clone(), input, self.workers.clone())))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let workers = self.workers.clone().ok_or_else(|| {
            DataFusionError::Execution("groups are worked on by executors of this program only".to_owned())
        })?;
        let job = self.job.clone();
        let stream = self.input.execute(partition, context)?.and_then(move |batch| {
            let (workers, job) = (workers.clone(), job.clone());
            async move {
                for group in batch.column(0).as_primitive::<UInt32Type>().values() {
                    let done = workers.work(&job, *group as usize).await;
                    done.map_err(|error| DataFusionError::External(Box::new(error)))?;
                }
                Ok(batch)
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

/// Lets the operator travel, beside those of Ballista.
#[derive(Debug, Default)]
pub(crate) struct Codec {
    ballista: BallistaPhysicalExtensionCodec,
    workers: Option<Workers>,
}

/// What an encoded [`GroupsExec`] starts with. No message of Ballista starts so: it would be a field of a wire type
/// that there is none of.
const MARK: &[u8] = b"\xffxiaokang groups ";

impl Codec {
    /// For an executor.
    pub fn of_executor(workers: Workers) -> Self {
        Self { ballista: BallistaPhysicalExtensionCodec::default(), workers: Some(workers) }
    }
}

impl PhysicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        buf: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        ctx: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Some(text) = buf.strip_prefix(MARK) else {
            return self.ballista.try_decode(buf, inputs, ctx, converter);
        };
        let job = serde_json::from_slice(text).map_err(|error| DataFusionError::External(Box::new(error)))?;
        match inputs {
            [input] => Ok(Arc::new(GroupsExec::new(job, Arc::clone(input), self.workers.clone()))),
            _ => Err(DataFusionError::Plan("groups come from one input".to_owned())),
        }
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        buf: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        let Some(groups) = node.downcast_ref::<GroupsExec>() else {
            return self.ballista.try_encode(node, buf, converter);
        };
        let text =
            serde_json::to_vec(&groups.job).map_err(|error| DataFusionError::External(Box::new(error)))?;
        buf.extend_from_slice(MARK);
        buf.extend_from_slice(&text);
        Ok(())
    }
}
