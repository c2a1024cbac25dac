"""How well this program ranks on judged collections, beside what people would otherwise install, in the same run."""
