#include "core/weights/pickle.h"

#include "core/base/error.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>
#include <unordered_map>

namespace core {
namespace {

/// Far more than the largest state_dict has; an object takes about a hundred bytes.
constexpr std::size_t mostObjects = 4'000'000;
/// What may be copied more often than it stands in the file is short, so that a small file stays small in memory.
constexpr std::size_t mostDims = 16, mostKeyBytes = 256, mostOpenMarks = 10'000;

struct StorageType {
    std::string_view name;
    DataType type;
};
constexpr std::array storageTypes{
    StorageType{"torch FloatStorage", DataType::Float32}, StorageType{"torch DoubleStorage", DataType::Float64}, StorageType{"torch HalfStorage", DataType::Float16},
    StorageType{"torch BFloat16Storage", DataType::BFloat16}, StorageType{"torch LongStorage", DataType::Int64}, StorageType{"torch IntStorage", DataType::Int32},
    StorageType{"torch ShortStorage", DataType::Int16}, StorageType{"torch CharStorage", DataType::Int8}, StorageType{"torch ByteStorage", DataType::UInt8},
    StorageType{"torch BoolStorage", DataType::Bool},
};

constexpr std::array<std::string_view, 6> callables{"collections OrderedDict",         "torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_tensor",
                                                    "torch._utils _rebuild_parameter", "torch.nn.parameter Parameter",    "torch Size"};

DataType storageType(const std::string &global)
{
    for (const StorageType &known : storageTypes)
        if (known.name == global)
            return known.type;
    return DataType::Undefined;
}

class Unpickler {
public:
    Unpickler(std::span<const std::byte> bytes, const std::string &described) : m_bytes(bytes), m_described(described) {}

    Pickle run()
    {
        while (step(take()))
            ;
        m_pickle.root = pop();
        m_pickle.bytes = m_at;
        return std::move(m_pickle);
    }

private:
    using Kind = Pickle::Kind;
    using Object = Pickle::Object;

    [[noreturn]] void damaged(const std::string &why) const
    {
        throw Error(ErrorKind::InvalidInput, "weights", m_described + " cannot be read: its pickle is damaged at byte " + std::to_string(m_at) + ": " + why);
    }
    [[noreturn]] void unsupported(const std::string &what) const
    {
        throw Error(ErrorKind::Unsupported, "weights",
                    m_described + " cannot be read: it holds " + what + "; only tensors, numbers, texts and containers of them are read. Save model.state_dict() alone.");
    }

    // Bytes.
    std::span<const std::byte> take(std::uint64_t count)
    {
        if (count > m_bytes.size() - m_at)
            damaged("it ends too early.");
        m_at += count;
        return m_bytes.subspan(m_at - count, count);
    }
    std::uint8_t take() { return std::to_integer<std::uint8_t>(take(std::uint64_t(1))[0]); }
    std::uint64_t number(std::size_t count)
    {
        std::uint64_t value = 0;
        const auto bytes = take(std::uint64_t(count));
        std::memcpy(&value, bytes.data(), count);
        return value;
    }
    std::string text(std::uint64_t count)
    {
        const auto bytes = take(count);
        return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
    }
    std::string line()
    {
        const auto rest = m_bytes.subspan(m_at);
        const auto end = std::find(rest.begin(), rest.end(), std::byte('\n'));
        if (end == rest.end())
            damaged("it ends too early.");
        std::string result = text(std::uint64_t(end - rest.begin()));
        ++m_at;
        return result;
    }

    // Stack and memo.
    Object &at(std::uint32_t index) { return m_pickle.objects[index]; }
    void push(std::uint32_t index) { m_stack.push_back(index); }
    void make(Object object)
    {
        if (m_pickle.objects.size() >= mostObjects)
            damaged("it holds too many objects.");
        push(std::uint32_t(m_pickle.objects.size()));
        m_pickle.objects.push_back(std::move(object));
    }
    void makeText(std::uint64_t length) { make({Kind::Text, 0, text(length), {}}); }
    void makeInteger(std::int64_t value) { make({Kind::Integer, value, {}, {}}); }
    void makeLong(std::size_t count)
    {
        const std::string bytes = text(count);
        if (count > 8)
            return make({Kind::LongInteger, 0, bytes, {}});
        std::int64_t value = count > 0 && (bytes.back() & 0x80) ? -1 : 0;
        std::memcpy(&value, bytes.data(), count);
        makeInteger(value);
    }
    std::size_t floor() const { return m_marks.empty() ? 0 : m_marks.back(); }
    std::uint32_t pop()
    {
        if (m_stack.size() <= floor())
            damaged("its stack is empty.");
        const std::uint32_t top = m_stack.back();
        m_stack.pop_back();
        return top;
    }
    std::uint32_t top() const
    {
        if (m_stack.size() <= floor())
            damaged("its stack is empty.");
        return m_stack.back();
    }
    std::vector<std::uint32_t> popToMark()
    {
        if (m_marks.empty())
            damaged("a mark is missing.");
        const auto start = m_stack.begin() + std::ptrdiff_t(m_marks.back());
        std::vector<std::uint32_t> items(start, m_stack.end());
        m_stack.erase(start, m_stack.end());
        m_marks.pop_back();
        return items;
    }
    std::vector<std::uint32_t> popItems(std::size_t count)
    {
        std::vector<std::uint32_t> items(count);
        for (std::size_t i = count; i-- > 0;)
            items[i] = pop();
        return items;
    }
    void remember(std::uint64_t slot)
    {
        m_memo[slot] = top();
        if (m_memo.size() > mostObjects)
            damaged("it holds too many objects.");
    }
    void mark()
    {
        if (m_marks.size() >= mostOpenMarks)
            damaged("it is nested too deeply.");
        m_marks.push_back(m_stack.size());
    }
    void recall(std::uint64_t slot)
    {
        const auto found = m_memo.find(slot);
        if (found == m_memo.end())
            damaged("it refers to object " + std::to_string(slot) + ", which there is none of.");
        push(found->second);
    }

    void extend(Kind kind, const std::vector<std::uint32_t> &items)
    {
        Object &container = at(top());
        if (container.kind != kind || (kind == Kind::Dictionary && items.size() % 2 != 0))
            damaged("something is put into what is no container for it.");
        container.items.insert(container.items.end(), items.begin(), items.end());
    }

    void global(const std::string &module, const std::string &name)
    {
        const std::string whole = (module == "__builtin__" ? "builtins" : module) + " " + name;
        if (storageType(whole) == DataType::Undefined && std::find(callables.begin(), callables.end(), whole) == callables.end())
            unsupported("the Python object '" + (module + "." + name).substr(0, 100) + "'");
        make({Kind::Global, 0, whole, {}});
    }

    bool step(std::uint8_t code);
    void reduce();
    void build();
    void persistent();
    void rebuildTensor(const std::vector<std::uint32_t> &arguments);
    void orderedDictionary(const std::vector<std::uint32_t> &arguments);
    std::int64_t integer(std::uint32_t index, const char *what);
    std::vector<std::int64_t> integers(std::uint32_t index, const char *what);

    std::span<const std::byte> m_bytes;
    std::string m_described;
    std::size_t m_at = 0;
    Pickle m_pickle;
    std::vector<std::uint32_t> m_stack;
    std::vector<std::size_t> m_marks;
    std::unordered_map<std::uint64_t, std::uint32_t> m_memo;
    std::map<std::string, std::size_t> m_firstOfKey;
    std::size_t m_pairs = 0;
};

/// One operation; false at the end. Names as in Python's pickletools.
bool Unpickler::step(std::uint8_t code)
{
    switch (code) {
    case 0x80: take(); break;                                              // PROTO
    case 0x95: take(std::uint64_t(8)); break;                              // FRAME
    case '.': return false;                                                // STOP
    case '(': mark(); break;                                               // MARK
    case '0': pop(); break;                                                // POP
    case '1': popToMark(); break;                                          // POP_MARK
    case '2': push(top()); break;                                          // DUP
    case 'N': make({Kind::None, 0, {}, {}}); break;                        // NONE
    case 0x88: make({Kind::Boolean, 1, {}, {}}); break;                    // NEWTRUE
    case 0x89: make({Kind::Boolean, 0, {}, {}}); break;                    // NEWFALSE
    case 'J': makeInteger(std::int32_t(number(4))); break;                 // BININT
    case 'K': makeInteger(std::int64_t(number(1))); break;                 // BININT1
    case 'M': makeInteger(std::int64_t(number(2))); break;                 // BININT2
    case 0x8A: makeLong(take()); break;                                    // LONG1
    case 'G': take(std::uint64_t(8)); make({Kind::Real, 0, {}, {}}); break; // BINFLOAT
    case 'X': case 'T': makeText(number(4)); break;                        // BINUNICODE, BINSTRING (Python 2)
    case 0x8C: case 'U': makeText(number(1)); break;                       // SHORT_BINUNICODE, SHORT_BINSTRING
    case 0x8D: makeText(number(8)); break;                                 // BINUNICODE8
    case ']': make({Kind::List, 0, {}, {}}); break;                        // EMPTY_LIST
    case 'a': { const auto item = pop(); extend(Kind::List, {item}); break; } // APPEND
    case 'e': extend(Kind::List, popToMark()); break;                      // APPENDS
    case 'l': make({Kind::List, 0, {}, popToMark()}); break;               // LIST
    case ')': make({Kind::Tuple, 0, {}, {}}); break;                       // EMPTY_TUPLE
    case 't': make({Kind::Tuple, 0, {}, popToMark()}); break;              // TUPLE
    case 0x85: case 0x86: case 0x87: make({Kind::Tuple, 0, {}, popItems(code - 0x84u)}); break; // TUPLE1, 2, 3
    case '}': make({Kind::Dictionary, 0, {}, {}}); break;                  // EMPTY_DICT
    case 'd': {                                                            // DICT
        const auto items = popToMark();
        make({Kind::Dictionary, 0, {}, {}});
        extend(Kind::Dictionary, items);
        break;
    }
    case 's': extend(Kind::Dictionary, popItems(2)); break;                // SETITEM
    case 'u': extend(Kind::Dictionary, popToMark()); break;                // SETITEMS
    case 'h': recall(number(1)); break;                                    // BINGET
    case 'j': recall(number(4)); break;                                    // LONG_BINGET
    case 'q': remember(number(1)); break;                                  // BINPUT
    case 'r': remember(number(4)); break;                                  // LONG_BINPUT
    case 0x94: remember(m_memo.size()); break;                             // MEMOIZE
    case 'c': { const std::string module = line(); global(module, line()); break; } // GLOBAL
    case 0x93: {                                                           // STACK_GLOBAL
        const auto names = popItems(2);
        if (at(names[0]).kind != Kind::Text || at(names[1]).kind != Kind::Text)
            damaged("a name is no text.");
        global(std::string(at(names[0]).text), std::string(at(names[1]).text));
        break;
    }
    case 'Q': persistent(); break;                                         // BINPERSID
    case 'R': case 0x81: reduce(); break;                                  // REDUCE, NEWOBJ: the globals allowed here mean the same by both
    case 'b': build(); break;                                              // BUILD
    default: {
        char name[8];
        std::snprintf(name, sizeof name, code > ' ' && code < 0x7F ? "'%c'" : "0x%02x", code);
        unsupported(std::string("the pickle operation ") + name);
    }
    }
    return true;
}

std::int64_t Unpickler::integer(std::uint32_t index, const char *what)
{
    if (at(index).kind != Kind::Integer || at(index).number < 0)
        damaged(std::string("the ") + what + " of a tensor is no count.");
    return at(index).number;
}

std::vector<std::int64_t> Unpickler::integers(std::uint32_t index, const char *what)
{
    const Object &tuple = at(index);
    if (tuple.kind != Kind::Tuple || tuple.items.size() > mostDims)
        damaged(std::string("the ") + what + " of a tensor is no tuple of counts.");
    std::vector<std::int64_t> values;
    for (const std::uint32_t item : tuple.items)
        values.push_back(integer(item, what));
    return values;
}

/// ('storage', type, key, location, number of elements[, None or (key of the view, offset, number of elements)])
void Unpickler::persistent()
{
    const Object &id = at(pop());
    const auto is = [&](std::size_t i, Kind kind) { return at(id.items[i]).kind == kind; };
    if (id.kind != Kind::Tuple || id.items.size() < 5 || id.items.size() > 6 || !is(0, Kind::Text) || at(id.items[0]).text != "storage")
        unsupported("a reference to something that is no storage of a tensor");
    if (!is(1, Kind::Global) || storageType(at(id.items[1]).text) == DataType::Undefined || !is(2, Kind::Text) || at(id.items[2]).text.size() > mostKeyBytes)
        damaged("a storage has no type or no key.");
    PickledStorage storage;
    storage.type = storageType(at(id.items[1]).text);
    storage.key = at(id.items[2]).text;
    storage.elements = storage.viewElements = integer(id.items[4], "storage");
    if (id.items.size() == 6 && !is(5, Kind::None)) {
        const Object &view = at(id.items[5]);
        if (view.kind != Kind::Tuple || view.items.size() != 3)
            damaged("the view of a storage is no tuple of three.");
        storage.viewOffset = integer(view.items[1], "view");
        storage.viewElements = integer(view.items[2], "view");
    }
    if (storage.elements > std::int64_t(1) << 48 || storage.viewOffset > storage.elements || storage.viewElements > storage.elements - storage.viewOffset)
        damaged("storage '" + storage.key + "' of " + std::to_string(storage.elements) + " elements is too large, or a view of it lies outside.");
    const auto [first, isNew] = m_firstOfKey.emplace(storage.key, m_pickle.storages.size());
    if (!isNew) {
        const PickledStorage &known = m_pickle.storages[first->second];
        if (known.type != storage.type || known.elements != storage.elements)
            damaged("storage '" + storage.key + "' is given two types or sizes.");
    }
    make({Kind::Storage, std::int64_t(m_pickle.storages.size()), {}, {}});
    m_pickle.storages.push_back(std::move(storage));
}

/// (storage, offset, dims, strides, …)
void Unpickler::rebuildTensor(const std::vector<std::uint32_t> &arguments)
{
    if (arguments.size() < 4 || arguments.size() > 7 || at(arguments[0]).kind != Kind::Storage)
        damaged("a tensor is not made from a storage, an offset, dimensions and strides.");
    PickledTensor tensor;
    tensor.storage = std::size_t(at(arguments[0]).number);
    tensor.offset = integer(arguments[1], "offset");
    tensor.dims = integers(arguments[2], "dimensions");
    tensor.strides = integers(arguments[3], "strides");
    const PickledStorage &storage = m_pickle.storages[tensor.storage];
    const auto outside = [&] {
        damaged("a tensor reaches beyond its storage '" + storage.key + "' of " + std::to_string(storage.viewElements) + " elements.");
    };
    if (tensor.strides.size() != tensor.dims.size())
        damaged("a tensor has " + std::to_string(tensor.dims.size()) + " dimensions and " + std::to_string(tensor.strides.size()) + " strides.");
    if (std::find(tensor.dims.begin(), tensor.dims.end(), 0) == tensor.dims.end()) {
        std::int64_t last = tensor.offset;
        for (std::size_t d = 0; d < tensor.dims.size(); ++d) {
            std::int64_t reach = 0;
            if (__builtin_mul_overflow(tensor.dims[d] - 1, tensor.strides[d], &reach) || __builtin_add_overflow(last, reach, &last))
                outside();
        }
        if (last >= storage.viewElements)
            outside();
    }
    make({Kind::Tensor, std::int64_t(m_pickle.tensors.size()), {}, {}});
    m_pickle.tensors.push_back(std::move(tensor));
}

/// OrderedDict() or, by Python 2, OrderedDict([[key, value], …]).
void Unpickler::orderedDictionary(const std::vector<std::uint32_t> &arguments)
{
    Object dictionary{Kind::Dictionary, 0, {}, {}};
    if (arguments.size() == 1 && (m_pairs += at(arguments[0]).items.size()) > mostObjects)
        damaged("it holds too many objects.");
    if (arguments.size() > 1 || (arguments.size() == 1 && at(arguments[0]).kind != Kind::List))
        damaged("an OrderedDict is made from something else than a list.");
    if (arguments.size() == 1)
        for (const std::uint32_t pair : at(arguments[0]).items) {
            if ((at(pair).kind != Kind::List && at(pair).kind != Kind::Tuple) || at(pair).items.size() != 2)
                damaged("an OrderedDict is made from something else than pairs.");
            dictionary.items.insert(dictionary.items.end(), at(pair).items.begin(), at(pair).items.end());
        }
    make(std::move(dictionary));
}

void Unpickler::reduce()
{
    const std::vector<std::uint32_t> operands = popItems(2);
    const Object &callee = at(operands[0]), &tuple = at(operands[1]);
    if (callee.kind != Kind::Global || tuple.kind != Kind::Tuple)
        unsupported("a call of something that is no function");
    const std::string name = callee.text;
    if (tuple.items.size() > 7)
        unsupported("a call of '" + name + "' with too many arguments");
    const std::vector<std::uint32_t> arguments = tuple.items;
    const auto isA = [&](std::size_t i, Kind kind) { return i < arguments.size() && at(arguments[i]).kind == kind; };
    if (name == "collections OrderedDict")
        return orderedDictionary(arguments);
    if (name == "torch._utils _rebuild_tensor_v2" || name == "torch._utils _rebuild_tensor")
        return rebuildTensor(arguments);
    if (name == "torch Size" && arguments.size() == 1 && (isA(0, Kind::Tuple) || isA(0, Kind::List)) && at(arguments[0]).items.size() <= mostDims)
        return make({Kind::Tuple, 0, {}, std::vector<std::uint32_t>(at(arguments[0]).items)});
    if ((name == "torch._utils _rebuild_parameter" || name == "torch.nn.parameter Parameter") && isA(0, Kind::Tensor))
        return push(arguments[0]);
    if (name == "torch.nn.parameter Parameter" && arguments.empty())         // PyTorch 0.1: its tensor follows as state
        return make({Kind::None, 0, "Parameter", {}});
    unsupported("a call of '" + name + "' with arguments that make no tensor");
}

/// What an object is told after it was made: an OrderedDict its _metadata, an old Parameter its flags; neither matters here. The oldest Parameters
/// are told their tensor, first of five.
void Unpickler::build()
{
    const Object &state = at(pop());
    Object &object = at(top());
    if (object.kind == Kind::None && !object.text.empty() && state.kind == Kind::Tuple && state.items.size() == 5 && at(state.items[0]).kind == Kind::Tensor)
        object = {Kind::Tensor, at(state.items[0]).number, {}, {}};
    else if (!(object.kind == Kind::Dictionary && (state.kind == Kind::Dictionary || state.kind == Kind::None)) && !(object.kind == Kind::Tensor && state.kind == Kind::Tuple))
        unsupported("an object with a state of its own");
}

} // namespace

Pickle readPickle(std::span<const std::byte> bytes, const std::string &described) { return Unpickler(bytes, described).run(); }

} // namespace core
