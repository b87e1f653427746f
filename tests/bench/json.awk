# tests/bench/json.awk -- reads the lines that the bench programs write: one flat object each.

# The value of a key, without quotes; "-" for null, "" where the key is not there.
function field(key,    text) {
    if (!match($0, "\"" key "\":(\"[^\"]*\"|[^,}]*)")) return ""
    text = substr($0, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
    gsub(/"/, "", text)
    return text == "null" ? "-" : text
}

function value(key) { return field(key) + 0 }

function number(key, decimals,    text) {
    text = field(key)
    return text == "-" || text == "" ? "-" : sprintf("%.*f", decimals, text)
}
