/* What compiled code does in C that is Python when it is written: see primitives.py.
 *
 * It is put into each file of C code that mypyc makes, after the headers of that file. So each module
 * has marks of its own.
 */

#include <string.h>

/* These report errors, or belong to what does: the compiler moves the paths to them away from those that
 * run. (They are declared already.) */
#define VBLKFUZZ_COLD(function) __typeof__(function) function __attribute__((cold))
VBLKFUZZ_COLD(CPy_AddTraceback);
VBLKFUZZ_COLD(CPy_AttributeError);
VBLKFUZZ_COLD(CPy_TypeError);
VBLKFUZZ_COLD(CPy_TypeErrorTraceback);
VBLKFUZZ_COLD(CPy_YieldFromErrorHandle);
VBLKFUZZ_COLD(CPyGen_AlreadyExecutingError);
VBLKFUZZ_COLD(CPyTagged_IncRef);
VBLKFUZZ_COLD(CPyTagged_DecRef);

static unsigned char *vblkfuzz_marks;

/* Run a probe. */
static inline int vblkfuzz_mark(CPyTagged probe)
{
    vblkfuzz_marks[CPyTagged_ShortAsSsize_t(probe)] = 1;
    return 0;
}

/* Let probes write into a region, which must stay alive: the caller keeps it. */
static inline int vblkfuzz_use(PyObject *region)
{
    Py_buffer view;
    if (PyObject_GetBuffer(region, &view, PyBUF_WRITABLE) < 0)
        return -1;
    vblkfuzz_marks = view.buf;
    PyBuffer_Release(&view);
    return 0;
}

/* An instance of a NamedTuple with these fields, which are all that it has: tuple.__new__(kind, fields) */
static inline PyObject *vblkfuzz_row(PyObject *kind, PyObject *fields)
{
    PyTypeObject *type = (PyTypeObject *)kind;
    if (!PyTuple_CheckExact(fields) || !PyType_IsSubtype(type, &PyTuple_Type))
        return PyErr_Format(PyExc_TypeError, "expected a kind of tuple and a tuple, found %R", fields);
    Py_ssize_t size = PyTuple_GET_SIZE(fields);
    PyObject *row = type->tp_alloc(type, size);
    for (Py_ssize_t at = 0; row && at < size; at++)
        PyTuple_SET_ITEM(row, at, Py_NewRef(PyTuple_GET_ITEM(fields, at)));
    return row;
}

/* The same for fields that nobody else has, nor will have: they become the instance. */
static inline PyObject *vblkfuzz_become(PyObject *kind, PyObject *fields)
{
    PyTypeObject *type = (PyTypeObject *)kind;
    if (!PyTuple_CheckExact(fields) || Py_REFCNT(fields) != 1 || !PyType_IsSubtype(type, &PyTuple_Type)
        || type->tp_basicsize != PyTuple_Type.tp_basicsize || type->tp_dictoffset)
        return vblkfuzz_row(kind, fields);
    Py_SET_TYPE(fields, (PyTypeObject *)Py_NewRef(kind)); /* an instance holds its class */
    return Py_NewRef(fields);
}

/* The object of a number, whose reference is taken over: Python keeps those from 0 to 256. */
static PyObject *vblkfuzz_numbers[257];

static inline PyObject *vblkfuzz_object(CPyTagged number)
{
    if (!CPyTagged_CheckShort(number) || number > 2 * 256)
        return CPyTagged_StealAsObject(number);
    PyObject **kept = &vblkfuzz_numbers[number >> 1];
    if (!*kept)
        *kept = CPyTagged_StealAsObject(number);
    return Py_NewRef(*kept);
}
#define CPyTagged_StealAsObject vblkfuzz_object

/* The place of an item of a memoryview with native integers of 1, 2 or 4 bytes, and their size.
 * NULL: it is none of these, or released, or has no such item. */
static inline char *vblkfuzz_item(PyObject *object, CPyTagged index, Py_ssize_t *size)
{
    if (!PyMemoryView_Check(object) || !CPyTagged_CheckShort(index))
        return NULL;
    const PyMemoryViewObject *memory = (const PyMemoryViewObject *)object;
    const Py_buffer *view = &memory->view;
    Py_ssize_t at = CPyTagged_ShortAsSsize_t(index);
    if (memory->flags & _Py_MEMORYVIEW_RELEASED || memory->mbuf->flags & _Py_MANAGED_BUFFER_RELEASED
        || view->ndim != 1 || view->suboffsets || at < 0 || at >= view->shape[0])
        return NULL;
    const char *format = view->format;
    if (!format || format[1] || (*format != 'B' && *format != 'H' && *format != 'I'))
        return NULL;
    *size = view->itemsize;
    return (char *)view->buf + at * view->strides[0];
}

/* object[index] */
static inline PyObject *vblkfuzz_get(PyObject *object, CPyTagged index)
{
    Py_ssize_t size;
    const char *item = vblkfuzz_item(object, index, &size);
    if (item && size == 1)
        return PyLong_FromLong(*(const unsigned char *)item);
    if (item && size == 2) {
        uint16_t value;
        memcpy(&value, item, 2);
        return PyLong_FromLong(value);
    }
    if (item && size == 4) {
        uint32_t value;
        memcpy(&value, item, 4);
        return PyLong_FromLong((long)value);
    }
    PyObject *boxed = CPyTagged_AsObject(index);
    PyObject *found = PyObject_GetItem(object, boxed);
    Py_DECREF(boxed);
    return found;
}

/* object[index] = value */
static inline int vblkfuzz_set(PyObject *object, CPyTagged index, CPyTagged value)
{
    Py_ssize_t size, number = CPyTagged_ShortAsSsize_t(value);
    char *item = CPyTagged_CheckShort(value) && number >= 0 ? vblkfuzz_item(object, index, &size) : NULL;
    if (item && !((const PyMemoryViewObject *)object)->view.readonly && !(number >> (8 * size))) {
        if (size == 1) {
            *(unsigned char *)item = (unsigned char)number;
            return 0;
        }
        if (size == 2) {
            uint16_t stored = (uint16_t)number;
            memcpy(item, &stored, 2);
            return 0;
        }
        if (size == 4) {
            uint32_t stored = (uint32_t)number;
            memcpy(item, &stored, 4);
            return 0;
        }
    }
    PyObject *boxed = CPyTagged_AsObject(index), *given = CPyTagged_AsObject(value);
    int failed = PyObject_SetItem(object, boxed, given);
    Py_DECREF(boxed);
    Py_DECREF(given);
    return failed;
}
