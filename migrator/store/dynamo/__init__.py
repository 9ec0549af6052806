"""The store in one DynamoDB table, shared by any number of machines. All reads are consistent; there is no index.

| pk | sk | what |
| --- | --- | --- |
| `store` | `format`, `import` | which format the table is of; an import that is not over |
| `services` | service | its newest run |
| `open` | service | its open run: there is never more than one |
| `service#ID` | `run#TOKEN#N` | the ids of its runs, oldest first |
| `run#ID` | `run` | the run |
| `run#ID` | `record#TOKEN#N` | its records, in their order |
| `step#STEP` | `AT#RUN#TOKEN#N` | where the records of a step are, by time |
| `ended` | `AT#RUN` | the runs that ended, without their plans, by time |
| `marks` | `#KEY` | the marks |
| `leases` | key | who holds, or held, a lock; the only items that expire |

TOKEN is the fencing token of the lease of the service under which the item was written: it only grows, and so items of
one run are in their order whoever wrote them.
"""
