/**
 * Runs a tool in a container with a configuration that nobody else sees: it comes by a variable of this shell alone, and
 * goes to the tool as a descriptor. Nothing is written anywhere, and nothing is left behind when it is killed.
 *
 * Arguments: the program, its arguments. The variable is not exported to the program.
 */
export const toolScript = `\
config=$HOLDFAST_MONGODB_CONFIG
unset HOLDFAST_MONGODB_CONFIG
command -v "$0" >/dev/null || { echo "there is no program $0" >&2; exit 127; }
exec "$0" --config /dev/fd/3 "$@" 3<<END
$config
END
`
