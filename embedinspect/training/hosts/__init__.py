"""Training by several processes, on one machine or several: Keras on JAX, each batch cut in shards.

The command is the parent of the processes that train here: it says what became of them, also where
native code ends them. `plan` decides who does what, `supervise` starts and watches, `worker` is
what each process runs: it joins the others (`join`), compares notes with them (`agree`) and trains
(`fitting`) a classifier whose LSTM works on shards (`layers`). Where the rows of the matrix are
shared out instead, `rows` lays them out and moves them, and `row_fitting` trains.
"""
