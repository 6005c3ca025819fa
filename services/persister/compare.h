/* Three-way comparison of plain values: <0, 0, >0. Pure. */
#ifndef PERSISTER_COMPARE_H
#define PERSISTER_COMPARE_H

#define COMPARE(left, right) (((left) > (right)) - ((left) < (right)))

#endif
