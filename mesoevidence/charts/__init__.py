"""Charts: values with a figure, the data drawn and the same in words; `kit` says how to add one."""
