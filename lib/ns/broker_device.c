#include "held.h"
void mount_by_rule(struct broker *b, struct held *h){(void)b;held_answer(h,VERDICT_DENIED,38);}
